"""The rubrics: kinds of review a magazine runs, with their labels, pictures and expectations."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LANGUAGES = ("en", "de", "fr", "es", "it", "ar", "he", "ja", "zh")
"""The languages in which a letter can speak; any other is spoken in English."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """One rubric. `labels` is the kicker above a headline, by language; `suffixes` are the endings of published titles
    that mean it (folded, any language); `ratio` is the picture's width to height; `facts` names the fields of its facts
    line in order; `rated` says whether a rating is expected; `schema` is the JSON-LD type of the work or piece.
    """

    key: str
    labels: dict[str, str]
    suffixes: tuple[str, ...]
    ratio: tuple[int, int]
    facts: tuple[str, ...]
    rated: bool
    schema: str

    def label(self, language: str) -> str:
        """The label in `language` (a BCP 47 tag), English where there is none."""
        return self.labels.get(base_language(language), self.labels["en"])


def base_language(tag: str) -> str:
    """The language of a BCP 47 tag that letters can speak: "de-AT" is "de", an unknown one "en"."""
    base = tag.replace("_", "-").split("-", 1)[0].casefold()
    return base if base in LANGUAGES else "en"


def _labels(*labels: str) -> dict[str, str]:
    return dict(zip(LANGUAGES, labels, strict=True))


_ALL = (
    Rubric(
        "movie",
        _labels(
            "Movie review", "Filmkritik", "Critique de film", "Crítica de cine", "Recensione film",
            "مراجعة فيلم", "ביקורת סרט", "映画レビュー", "影评",
        ),
        (
            "movie review", "film review", "movie", "film", "filmkritik", "kinokritik", "critique de film",
            "critique cinéma", "critique ciné", "crítica de cine", "crítica de película", "recensione film",
            "recensione cinema", "مراجعة فيلم", "نقد فيلم", "ביקורת סרט",
            "ביקורת קולנוע", "映画レビュー", "映画評", "影评",
            "电影评论",
        ),
        (3, 2), ("creators", "cast", "release"), True, "Movie",
    ),
    Rubric(
        "tv",
        _labels(
            "TV review", "Serienkritik", "Critique de série", "Crítica de serie", "Recensione serie TV",
            "مراجعة مسلسل", "ביקורת סדרה", "ドラマレビュー", "剧评",
        ),
        (
            "tv review", "television review", "series review", "show review",
            "tv recap", "serienkritik", "tv-kritik",
            "critique de série", "critique série", "crítica de serie",
            "crítica de televisión", "recensione serie tv",
            "مراجعة مسلسل", "ביקורת סדרה", "ביקורת טלוויזיה", "ドラマレビュー", "剧评",
        ),
        (3, 2), ("where", "creators", "cast"), True, "TVSeries",
    ),
    Rubric(
        "concert",
        _labels(
            "Concert review", "Konzertkritik", "Critique de concert",
            "Crítica de concierto", "Recensione concerto",
            "مراجعة حفل", "ביקורת הופעה", "ライブレポート", "演出评论",
        ),
        (
            "concert review", "live review", "gig review", "show report",
            "live", "konzertkritik", "konzertbericht",
            "critique de concert", "live report", "crítica de concierto", "recensione concerto", "مراجعة حفل",
            "ביקורת הופעה", "ライブレポート", "ライブレビュー", "演出评论",
        ),
        (3, 2), ("where", "event"), False, "MusicEvent",
    ),
    Rubric(
        "music",
        _labels(
            "Album review", "Albumkritik", "Critique d’album", "Crítica de disco", "Recensione album",
            "مراجعة ألبوم", "ביקורת אלבום", "アルバムレビュー", "乐评",
        ),
        (
            "album review", "music review", "record review", "single review",
            "ep review", "song review", "track review",
            "albumkritik", "plattenkritik", "critique d'album", "chronique d'album", "crítica de disco",
            "crítica de música", "recensione album", "recensione disco", "مراجعة ألبوم", "ביקורת אלבום",
            "アルバムレビュー", "音楽レビュー", "乐评", "专辑评论",
        ),
        (1, 1), ("creators", "where", "release"), True, "MusicAlbum",
    ),
    Rubric(
        "book",
        _labels(
            "Book review", "Buchkritik", "Critique de livre", "Reseña de libro", "Recensione libro",
            "مراجعة كتاب", "ביקורת ספר", "書評", "书评",
        ),
        (
            "book review", "novel review", "poetry review", "buchkritik", "buchbesprechung", "rezension",
            "critique de livre", "critique littéraire", "reseña de libro",
            "reseña literaria", "recensione libro",
            "مراجعة كتاب", "ביקורת ספר", "ביקורת ספרים", "書評", "书评",
        ),
        (2, 3), ("creators", "where", "year"), True, "Book",
    ),
    Rubric(
        "theatre",
        _labels(
            "Stage & art", "Bühne & Kunst", "Scène et art", "Teatro y arte", "Teatro e arte",
            "مسرح وفن", "במה ואמנות", "舞台・アート", "戏剧与艺术",
        ),
        (
            "theatre review", "theater review", "stage review", "play review",
            "art review", "exhibition review",
            "dance review", "opera review", "theaterkritik", "kunstkritik",
            "ausstellungskritik", "critique de théâtre",
            "critique d'exposition", "crítica de teatro", "crítica de arte",
            "recensione teatro", "recensione mostra",
            "مراجعة مسرحية", "ביקורת תיאטרון", "ביקורת תערוכה", "舞台レビュー", "美術レビュー", "剧场评论", "艺术评论",
        ),
        (3, 2), ("creators", "where", "release"), False, "TheaterEvent",
    ),
    Rubric(
        "game",
        _labels(
            "Game review", "Spielekritik", "Critique de jeu", "Crítica de videojuego", "Recensione videogioco",
            "مراجعة لعبة", "ביקורת משחק", "ゲームレビュー", "游戏评测",
        ),
        (
            "game review", "video game review", "videogame review",
            "spielekritik", "spieletest", "critique de jeu",
            "test de jeu", "crítica de videojuego", "análisis de videojuego",
            "recensione videogioco", "مراجعة لعبة",
            "ביקורת משחק", "ゲームレビュー", "游戏评测",
        ),
        (3, 2), ("creators", "where", "release"), True, "VideoGame",
    ),
    Rubric(
        "interview",
        _labels(
            "Interview", "Interview", "Entretien", "Entrevista",
            "Intervista", "مقابلة", "ראיון", "インタビュー", "专访",
        ),
        (
            "interview", "q&a", "in conversation", "a conversation", "im gespräch",
            "gespräch", "entretien", "interview exclusive",
            "entrevista", "intervista", "مقابلة", "حوار", "ראיון", "インタビュー", "专访", "访谈",
        ),
        (3, 2), ("creators",), False, "NewsArticle",
    ),
    Rubric(
        "feature",
        _labels("Feature", "Essay", "Essai", "Ensayo", "Saggio", "مقال", "מאמר", "特集", "特写"),
        (
            "feature", "essay", "column", "opinion", "long read", "personal essay",
            "kolumne", "essai", "chronique",
            "ensayo", "columna", "saggio", "مقال", "מאמר", "מסה", "特集", "エッセイ", "特写", "随笔",
        ),
        (3, 2), (), False, "NewsArticle",
    ),
    Rubric(
        "list",
        _labels("List", "Liste", "Liste", "Lista", "Lista", "قائمة", "רשימה", "リスト", "清单"),
        ("list", "best of", "top ten", "top 10", "ranked", "liste",
        "bestenliste", "lista", "قائمة", "רשימה", "リスト", "清单"),
        (3, 2), (), False, "ItemList",
    ),
    Rubric(
        "news",
        _labels("News", "Nachrichten", "Actualité", "Noticias", "Notizie", "أخبار", "חדשות", "ニュース", "新闻"),
        ("news", "breaking", "nachrichten", "meldung", "actualité", "actu",
        "noticias", "notizie", "أخبار", "חדשות", "ニュース", "新闻"),
        (3, 2), (), False, "NewsArticle",
    ),
)  # fmt: skip

# Order of the rows: the rubrics above; of the columns: LANGUAGES.
_SECTIONS = dict(
    zip(
        (rubric.key for rubric in _ALL),
        (
            _labels("Movies", "Filme", "Cinéma", "Cine", "Cinema", "أفلام", "סרטים", "映画", "电影"),
            _labels("TV", "Serien", "Séries", "Series", "Serie TV", "مسلسلات", "סדרות", "ドラマ", "剧集"),
            _labels("Live", "Konzerte", "Concerts", "Conciertos", "Concerti", "حفلات", "הופעות", "ライブ", "演出"),
            _labels("Music", "Musik", "Musique", "Música", "Musica", "موسيقى", "מוזיקה", "音楽", "音乐"),
            _labels("Books", "Bücher", "Livres", "Libros", "Libri", "كتب", "ספרים", "本", "图书"),
            _labels(
                "Stage & art", "Bühne & Kunst", "Scène et art", "Teatro y arte", "Teatro e arte",
                "مسرح وفن", "במה ואמנות", "舞台・アート", "戏剧与艺术",
            ),
            _labels("Games", "Spiele", "Jeux", "Videojuegos", "Videogiochi", "ألعاب", "משחקים", "ゲーム", "游戏"),
            _labels(
                "Interviews", "Interviews", "Entretiens", "Entrevistas", "Interviste",
                "مقابلات", "ראיונות", "インタビュー", "专访",
            ),
            _labels("Features", "Essays", "Essais", "Ensayos", "Saggi", "مقالات", "מאמרים", "特集", "特写"),
            _labels("Lists", "Listen", "Listes", "Listas", "Liste", "قوائم", "רשימות", "リスト", "清单"),
            _labels("News", "Nachrichten", "Actualités", "Noticias", "Notizie", "أخبار", "חדשות", "ニュース", "新闻"),
        ),
        strict=True,
    )
)  # fmt: skip

RUBRICS: dict[str, Rubric] = {rubric.key: rubric for rubric in _ALL}


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    return " ".join(text.casefold().split())


_BY_SUFFIX = {
    _fold(words): rubric.key for rubric in _ALL for words in (*rubric.suffixes, *rubric.labels.values(), rubric.key)
}


def rubric_for_label(text: str, language: str = "", brand: str = "") -> str:
    """The rubric that a title's ending, a category or a tag names ("Movie Review", "LANTERN Interview"), else "".

    `brand` is a magazine's name that may stand before the words. `language` picks nothing today: no two languages use
    the same words for different rubrics.
    """
    words = _fold(text).strip(" .!")
    if brand:
        words = words.removeprefix(_fold(brand)).strip()
    return _BY_SUFFIX.get(words, "")


def label(rubric: str, language: str) -> str:
    """The kicker above a headline; "" for a review without rubric."""
    known = RUBRICS.get(rubric)
    return known.label(language) if known else ""


def section_label(rubric: str, language: str) -> str:
    """The heading over several reviews of a rubric; "" for reviews without one."""
    return _SECTIONS[rubric][base_language(language)] if rubric in _SECTIONS else ""
