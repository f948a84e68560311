"""Words and names in twelve languages, from which made-up reviews are drawn. They mean little; they run and break as
their languages do: three from right to left, three without or with few spaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stock:
    """`words` make sentences, `names` people; `space` stands between words, `stop` ends a sentence."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    space: str = " "
    stop: str = "."


def _stock(words: str, names: str, space: str = " ", stop: str = ".") -> Stock:
    return Stock(tuple(words.split()), tuple(names.split(", ")), space, stop)


STOCKS: Mapping[str, Stock] = {
    "en": _stock(
        "the a quiet harbour of light and salt that nobody remembers until somebody"
        " sings again in this kitchen while rain"
        " counts every window slowly, beautifully wrong; thirty-one evenings, one door, no hurry",
        "Mara Quill, Bo Lindqvist, Ada Fontaine-Okafor, J. T. O’Malley, Esi Brandt, Theo van der Heijden",
    ),
    "de": _stock(
        "der die das leise Hafen aus Licht und Salz den niemand vergisst bis jemand"
        " wieder singt in dieser Küche während"
        " Regen jedes Fenster zählt Straßenbahnhaltestellenhäuschen Übermut größer,"
        " schöner als Kulturförderungsgesetz",
        "Jörg Weiß, Änne Groß-Hohenfels, Dr. Ute Şahin, Käthe Müller, Björn Öttinger",
    ),
    "fr": _stock(
        "le la les un port tranquille de lumière et de sel que personne n’oublie"
        " jusqu’à ce que quelqu’un chante dans"
        " cette cuisine où la pluie compte chaque fenêtre « lentement », c’est l’été à nouveau ; voilà",
        "Zoé Lefèvre, Noël d’Aubigné, Chloé Brûlé, Jean-François Œuvrard, Maïa Ndiaye",
    ),
    "es": _stock(
        "el la los un puerto tranquilo de luz y sal que nadie olvida hasta que"
        " alguien canta otra vez en esta cocina"
        " mientras la lluvia cuenta cada ventana ¿despacio? ¡mañana! señales, corazón, pequeño",
        "Íñigo Núñez, María José Ibáñez, Lucía Peña, Ángel Çelik, Sofía Güell",
    ),
    "it": _stock(
        "il la gli un porto quieto di luce e di sale che nessuno dimentica finché"
        " qualcuno canta ancora in questa cucina"
        " mentre la pioggia conta ogni finestra perché è così, dell’acqua, già, più lentamente",
        "Niccolò D’Amico, Chiara Però, Loretta Bonfanti, Èlia Sforza, Giosuè Rao",
    ),
    "pl": _stock(
        "cichy port ze światła i soli którego nikt nie zapomni dopóki ktoś znów nie"
        " zaśpiewa w tej kuchni gdy deszcz liczy"
        " każde okno powoli, pięknie źle; trzydzieści jeden wieczorów, żadnego pośpiechu",
        "Łucja Źrebiec, Żaneta Śliwa, Bogusław Ćwik, Zdzisław Nowakowski-Ósmy",
    ),
    "ar": _stock(
        "الميناء الهادئ من ضوء وملح لا ينساه أحد حتى يغني شخص ما من جديد في هذا"
        " المطبخ بينما يعد المطر كل نافذة ببطء، على"
        " نحو جميل؛ واحدة وثلاثون أمسية وباب واحد",
        "سلمى الحداد, يوسف مراد, نور العلي, هالة سعيد, Sol Whitaker",
    ),
    "he": _stock(
        "הנמל השקט של אור ומלח שאיש אינו שוכח עד שמישהו שר שוב במטבח הזה בזמן שהגשם"
        " סופר כל חלון לאט, יפה כל כך;"
        " שלושים ואחד ערבים ודלת אחת",
        "נועה ברקת, איתן שור, ד״ר מירה אלון, יעל כהן־לוי, Bo Lindqvist",
    ),
    "fa": _stock(
        "بندر آرام از نور و نمک که هیچ‌کس فراموش نمی‌کند تا کسی دوباره در این"
        " آشپزخانه بخواند و باران هر پنجره را آهسته"
        " می‌شمارد، زیبا و نادرست؛ سی و یک شب و یک در",
        "مهتاب کیانی, پژمان گودرزی, ژاله چراغی, آرش یزدانی",
    ),
    "ja": _stock(
        "静かな 港の 光と 塩を 誰も 忘れない まま この 台所で また 歌う 雨が 窓を ゆっくり 数えて いる 三十一の 夜と"
        " 一つの 扉 カタカナ テレビ ドキュメンタリー 「ゆっくり」 美しく",
        "佐藤 花, 高橋 一郎, 髙﨑 みどり, エマ・ルイス",
        "",
        "。",
    ),
    "zh": _stock(
        "安静的 港口 由 光 和 盐 做成 没有 人 忘记 直到 有人 在 这间 厨房 再次 歌唱 雨 慢慢 数着"
        " 每一扇 窗户 三十一个 夜晚 和 一扇 门 《慢慢》 美丽",
        "李小雨, 王建国, 欧阳静, 艾玛·刘易斯",
        "",
        "。",
    ),
    "ko": _stock(
        "조용한 항구는 빛과 소금으로 되어 있고 아무도 잊지 않는다 누군가 이 부엌에서 다시 노래할 때까지"
        " 비가 창문을 천천히 센다 서른한 번의 저녁과 문 하나 아름답게",
        "김하늘, 이서준, 박보람, 남궁민",
    ),
}
"""By language."""

ODDITIES = (
    "Café\u0301 d\u0323e\u0307", "👩🏽‍🚀🎬", "𝔊𝔬𝔱𝔥𝔦𝔠", "A<b>&\"'</b>", "100 % & <more>", "{{7*7}}", "[[7]]",
    "C:\\path",
    "https://lantern.example/a?b=c&d=e#f", "Supercalifragilistikexpialigetisch" * 2, "—…–‘’“”«»", "ﷺ",
    "a\u200bb\u00adc",
    "$1 \\1 %s %(x)s {0}", "=?utf-8?q?x?=", "От автора", "ΑΒΓ", "ไทยไม่มีช่องว่าง", "\u202eabc\u202c", "№ 214 ½",
)  # fmt: skip
"""What people paste into titles, and what machines trip over."""
