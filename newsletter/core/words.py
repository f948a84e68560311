"""The fixed words of a letter, its dates and lists, in the newsletter's language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal

from newsletter.core.rubrics import LANGUAGES, base_language

_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"arab", "hebr", "syrc", "thaa"})

# Order of the columns: en, de, fr, es, it, ar, he, ja, zh (core.rubrics.LANGUAGES).
_TABLE: dict[str, tuple[str, ...]] = {
    "by": (
        "By {names}", "Von {names}", "Par {names}", "Por {names}", "Di {names}",
        "بقلم {names}", "מאת {names}", "文・{names}", "文／{names}",
    ),
    "directed_by": (
        "Directed by {names}", "Regie: {names}", "Réalisation : {names}",
        "Dirección: {names}", "Regia di {names}",
        "إخراج {names}", "בבימוי {names}", "監督：{names}", "导演：{names}",
    ),
    "with_cast": (
        "With {names}", "Mit {names}", "Avec {names}", "Con {names}", "Con {names}",
        "بطولة {names}", "בהשתתפות {names}", "出演：{names}", "主演：{names}",
    ),
    "created_by": (
        "Created by {names}", "Von {names}", "Créé par {names}",
        "Creado por {names}", "Creato da {names}",
        "تأليف {names}", "יצירה: {names}", "制作：{names}", "主创：{names}",
    ),
    "read_review": (
        "Read the review", "Zur Kritik", "Lire la critique", "Leer la crítica", "Leggi la recensione",
        "اقرأ المراجعة", "לביקורת המלאה", "レビューを読む", "阅读评论",
    ),
    "read_review_of": (
        "Read the review of {title}", "Die Kritik zu {title} lesen", "Lire la critique de {title}",
        "Leer la crítica de {title}", "Leggi la recensione di {title}", "اقرأ مراجعة {title}",
        "לביקורת המלאה על {title}", "{title}のレビューを読む", "阅读{title}的评论",
    ),
    "read_interview": (
        "Read the interview", "Zum Interview", "Lire l’entretien",
        "Leer la entrevista", "Leggi l’intervista",
        "اقرأ المقابلة", "לראיון המלא", "インタビューを読む", "阅读专访",
    ),
    "read_piece": (
        "Read the whole piece", "Den ganzen Text lesen", "Lire l’article",
        "Leer el artículo", "Leggi l’articolo",
        "اقرأ المقال كاملًا", "למאמר המלא", "続きを読む", "阅读全文",
    ),
    "read_at": (
        "Read", "Lesen", "Lire", "Leer", "Leggi", "اقرأ", "לקריאה", "読む", "阅读",
    ),
    "minutes": (
        "{n} min", "{n} Min.", "{n} min", "{n} min", "{n} min", "{n} دق", "{n} דק׳", "{n}分", "{n} 分钟",
    ),
    "rating": (
        "Rating", "Wertung", "Note", "Valoración", "Voto", "التقييم", "דירוג", "評価", "评分",
    ),
    "out_of": (
        "{value} out of {best}", "{value} von {best}", "{value} sur {best}",
        "{value} de {best}", "{value} su {best}",
        "{value} من {best}", "{value} מתוך {best}", "{best}点中{value}点", "{value}（满分 {best}）",
    ),
    "reviews": (
        "This week’s reviews", "Die Kritiken der Woche", "Les critiques de la semaine",
        "Las críticas de la semana",
        "Le recensioni della settimana", "مراجعات هذا الأسبوع", "הביקורות של השבוע", "今週のレビュー", "本周评论",
    ),
    "in_this_issue": (
        "In this issue", "In dieser Ausgabe", "Au sommaire", "En este número", "In questo numero",
        "في هذا العدد", "בגיליון הזה", "今号の目次", "本期目录",
    ),
    "second_opinion": (
        "Second opinion", "Zweite Meinung", "Un autre avis", "Segunda opinión", "Secondo parere",
        "رأي آخر", "דעה שנייה", "もうひとつの意見", "另一种看法",
    ),
    "quote_of": (
        "{critic} on {work}", "{critic} über {work}", "{critic}, à propos de {work}",
        "{critic}, sobre {work}", "{critic} su {work}",
        "{critic} عن {work}", "{critic} על {work}", "{critic}、{work}について", "{critic}谈{work}",
    ),
    "quote_open": ("“", "„", "«", "«", "«", "«", "”", "「", "“"),
    "quote_close": ("”", "“", "»", "»", "»", "»", "”", "」", "”"),
    "question": ("Q", "F", "Q", "P", "D", "س", "ש", "問", "问"),
    "answer": ("A", "A", "R", "R", "R", "ج", "ת", "答", "答"),
    "pick": (
        "Editor’s pick", "Tipp der Redaktion", "Choix de la rédaction", "Selección de la redacción",
        "Scelto dalla redazione", "اختيار المحرر", "בחירת המערכת", "編集部のおすすめ", "编辑推荐",
    ),
    "listen": (
        "Listen while you read", "Dazu hören", "À écouter en lisant", "Para escuchar mientras lee",
        "Da ascoltare leggendo", "استمع وأنت تقرأ", "להאזנה תוך כדי קריאה", "読みながら聴く", "边读边听",
    ),
    "sponsored": (
        "Sponsored", "Anzeige", "Sponsorisé", "Patrocinado", "Sponsorizzato", "برعاية", "ממומן", "広告", "赞助",
    ),
    "this_week": (
        "This week:", "Diese Woche:", "Cette semaine :", "Esta semana:", "Questa settimana:", "هذا الأسبوع:", "השבוע:",
        "今週：", "本周：",
    ),
    "also": (
        "Also this week", "Außerdem diese Woche", "Aussi cette semaine",
        "También esta semana", "Sempre questa settimana",
        "أيضًا هذا الأسبوع", "גם השבוע", "今週はほかにも", "本周还有",
    ),
    "corrections": (
        "Corrections", "Berichtigungen", "Rectifications", "Correcciones", "Rettifiche",
        "تصويبات", "תיקונים", "訂正", "更正",
    ),
    "more_from": (
        "More from {magazine}", "Mehr von {magazine}", "À lire aussi dans {magazine}",
        "Más de {magazine}",
        "Altro da {magazine}", "المزيد من {magazine}", "עוד מ־{magazine}",
        "{magazine}のほかの記事", "更多{magazine}内容",
    ),
    "also_like": (
        "You may also like", "Das könnte Ihnen auch gefallen", "Vous aimerez aussi", "También le puede gustar",
        "Potrebbe piacervi anche", "قد يعجبك أيضًا", "אולי יעניין אותך גם", "こちらもおすすめ", "你可能还喜欢",
    ),
    "plus_more": (
        "plus {n} more", "und {n} weitere", "et {n} autres", "y {n} más", "e altri {n}",
        "و{n} غيرها", "ועוד {n}", "ほか{n}本", "另有 {n} 篇",
    ),
    "photo": (
        "Photo: {credit}", "Foto: {credit}", "Photo : {credit}", "Foto: {credit}", "Foto: {credit}",
        "الصورة: {credit}", "צילום: {credit}", "写真：{credit}", "图片：{credit}",
    ),
    "number": (
        "No. {n}", "Nr. {n}", "N° {n}", "N.º {n}", "N. {n}",
        "العدد {n}", "גיליון {n}", "第{n}号", "第 {n} 期",
    ),
    "week_of": (
        "Week of {date}", "Woche vom {date}", "Semaine du {date}", "Semana del {date}", "Settimana del {date}",
        "أسبوع {date}", "השבוע של {date}", "{date}の週", "{date}当周",
    ),
    "in_theaters": (
        "In theaters", "Im Kino", "En salles", "En cines", "Al cinema",
        "في دور السينما", "בבתי הקולנוע", "公開", "上映",
    ),
    "in_theaters_now": (
        "In theaters now", "Jetzt im Kino", "Actuellement en salles", "Ya en cines", "Ora al cinema",
        "الآن في دور السينما", "עכשיו בקולנוע", "公開中", "正在上映",
    ),
    "streaming": (
        "Starts", "Start", "À partir du", "Estreno", "In onda dal",
        "يبدأ العرض", "עולה לשידור", "配信開始", "开播",
    ),
    "streaming_now": (
        "Streaming now", "Jetzt zu sehen", "Déjà disponible", "Ya disponible", "Già disponibile",
        "يُعرض الآن", "זמין עכשיו", "配信中", "正在播出",
    ),
    "out": (
        "Out", "Erscheint", "Sortie", "Sale", "Esce", "يصدر", "יוצא לאור", "発売", "发行",
    ),
    "out_now": (
        "Out now", "Schon erschienen", "Déjà sorti", "Ya a la venta",
        "Già uscito", "صدر الآن", "כבר יצא", "発売中", "已发行",
    ),
    "opens": (
        "Opens", "Premiere", "Première", "Estreno", "Prima", "الافتتاح", "בכורה", "初日", "开幕",
    ),
    "open_now": (
        "On now", "Läuft jetzt", "À l’affiche", "En cartel", "In scena",
        "يُعرض الآن", "מוצג עכשיו", "開催中", "正在展演",
    ),
    "live": (
        "Live", "Live", "En concert", "En vivo", "Dal vivo", "حفل حي", "הופעה", "ライブ", "现场",
    ),
    "hello_before": (
        "Hello ", "Hallo ", "Bonjour ", "Hola, ", "Ciao ", "مرحبًا ", "שלום ", "", "",
    ),
    "hello_after": (
        ",", ",", ",", ":", ",", "،", ",", "さん、こんにちは。", "，你好：",
    ),
    "reply": (
        "Reply to this mail: a person at {magazine} reads it.",
        "Antworten Sie einfach auf diese Mail: Bei {magazine} liest sie ein Mensch.",
        "Répondez à ce message : quelqu’un le lit chez {magazine}.",
        "Responda a este correo: en {magazine} lo lee una persona.",
        "Rispondete a questa mail: a {magazine} la legge una persona.",
        "أجب على هذه الرسالة: سيقرؤها شخص في {magazine}.",
        "אפשר להשיב למייל הזה: יש מי שקורא אותו ב־{magazine}.",
        "このメールに返信すると、{magazine}の編集者が読みます。",
        "直接回复这封邮件，{magazine}的编辑会读到。",
    ),
    "why": (
        "You’re reading this because you subscribed to {newsletter} at {magazine}.",
        "Sie lesen dies, weil Sie {newsletter} bei {magazine} abonniert haben.",
        "Vous lisez ceci parce que vous êtes abonné à {newsletter} auprès de {magazine}.",
        "Lee esto porque se suscribió a {newsletter} en {magazine}.",
        "Leggete questa mail perché siete iscritti a {newsletter} di {magazine}.",
        "تصلك هذه الرسالة لأنك اشتركت في {newsletter} لدى {magazine}.",
        "קיבלת את המייל הזה כי נרשמת אל {newsletter} אצל {magazine}.",
        "{magazine}の{newsletter}にご登録いただいているため、お送りしています。",
        "您收到此邮件，是因为您在{magazine}订阅了{newsletter}。",
    ),
    "why_since": (
        "You’re reading this because you subscribed to {newsletter} at {magazine} on {date}.",
        "Sie lesen dies, weil Sie {newsletter} bei {magazine} am {date} abonniert haben.",
        "Vous lisez ceci parce que vous êtes abonné à {newsletter} auprès de {magazine} depuis le {date}.",
        "Lee esto porque se suscribió a {newsletter} en {magazine} el {date}.",
        "Leggete questa mail perché siete iscritti a {newsletter} di {magazine} dal {date}.",
        "تصلك هذه الرسالة لأنك اشتركت في {newsletter} لدى {magazine} في {date}.",
        "קיבלת את המייל הזה כי נרשמת אל {newsletter} אצל {magazine} בתאריך {date}.",
        "{date}に{magazine}の{newsletter}にご登録いただいたため、お送りしています。",
        "您收到此邮件，是因为您于{date}在{magazine}订阅了{newsletter}。",
    ),
    "preferences": (
        "Change what you get", "Auswahl ändern", "Modifier vos choix",
        "Cambiar lo que recibe", "Cambia cosa ricevi",
        "غيّر ما يصلك", "שינוי ההעדפות", "配信設定を変更", "更改订阅内容",
    ),
    "unsubscribe": (
        "Unsubscribe", "Abmelden", "Se désabonner", "Darse de baja", "Annulla l’iscrizione",
        "إلغاء الاشتراك", "הסרה מהרשימה", "配信停止", "退订",
    ),
    "view_online": (
        "View online", "Im Browser ansehen", "Lire en ligne", "Ver en línea", "Leggi online",
        "اقرأ على الويب", "לצפייה באתר", "ブラウザで読む", "在线阅读",
    ),
    "pause": (
        "Pause", "Pausieren", "Faire une pause", "Pausar", "Metti in pausa",
        "إيقاف مؤقت", "הפסקה זמנית", "一時停止", "暂停接收",
    ),
    "forward": (
        "Forward to a friend", "Weiterempfehlen", "Faire suivre", "Enviar a un amigo", "Inoltra a un amico",
        "أرسلها إلى صديق", "להעביר לחבר", "友だちに送る", "转发给朋友",
    ),
    "forwarded": (
        "Was this forwarded to you? Subscribe to {newsletter}.",
        "Weitergeleitet bekommen? Hier gibt es {newsletter} für Sie selbst.",
        "On vous a fait suivre ce message ? Abonnez-vous à {newsletter}.",
        "¿Le reenviaron este correo? Suscríbase a {newsletter}.",
        "Ve l’hanno inoltrata? Iscrivetevi a {newsletter}.",
        "هل أُعيد توجيهها إليك؟ اشترك في {newsletter}.",
        "הועבר אליך? אפשר להירשם אל {newsletter}.",
        "転送で届きましたか？{newsletter}を直接受け取るにはこちら。",
        "这是别人转发给你的？点此订阅{newsletter}。",
    ),
    "privacy": (
        "Privacy", "Datenschutz", "Confidentialité", "Privacidad",
        "Privacy", "الخصوصية", "פרטיות", "プライバシー", "隐私",
    ),
}  # fmt: skip


def words(language: str) -> dict[str, str]:
    """The fixed words in `language` (a BCP 47 tag), English where it is not spoken. Some hold one `{field}`."""
    column = LANGUAGES.index(base_language(language))
    return {key: row[column] for key, row in _TABLE.items()}


def dir_of(language: str) -> str:
    """ "rtl" or "ltr": the direction of a language tag; its script subtag decides where there is one."""
    parts = language.replace("_", "-").casefold().split("-")
    scripts = [part for part in parts[1:] if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if parts[0] in _RIGHT_TO_LEFT else "ltr"


def _locale(language: str) -> Locale:
    return Locale.parse(base_language(language))


def long_date(day: date, language: str) -> str:
    """The day in full: "Thursday, November 5, 2026"."""
    return format_date(day, format="full", locale=_locale(language))


def week_of(day: date, language: str) -> str:
    """The week by its day of sending: "Week of November 5"."""
    return words(language)["week_of"].format(date=format_skeleton("MMMMd", day, locale=_locale(language)))


def day_parts(day: date, language: str) -> tuple[str, str, str]:
    """Weekday, day and month, short and apart: "Mon", "2", "Nov"."""
    locale = _locale(language)
    # A skeleton of one field may bring a suffix along ("2日"): a date block has room for the figure alone.
    return format_date(day, "ccc", locale=locale), str(day.day), format_date(day, "LLL", locale=locale)


def day_of(day: date, language: str) -> str:
    """The day without its year, short: "Fri, Nov 6"."""
    return format_skeleton("MMMEd", day, locale=_locale(language))


def day_and_time(moment: datetime, language: str) -> str:
    """A local time of the next days for a reader: "Thursday, November 5, 8:00 AM"."""
    locale = _locale(language)
    comma = "، " if locale.language == "ar" else ", "
    day = format_date(moment, "EEEE", locale=locale), format_skeleton("MMMMd", moment, locale=locale)
    return comma.join([*day, format_time(moment, "short", locale=locale)])


def date_pattern(language: str) -> tuple[str, tuple[str, ...]]:
    """A long date as a format of `{day}`, `{month}` and `{year}`, and the twelve names for its month: so that a
    template can print a subscriber's date without this module.
    """
    locale = _locale(language)
    pattern = locale.date_formats["long"].pattern
    numeric = "MMMM" not in pattern
    months = locale.months["format"]["wide"]
    fields = {"d": "{day}", "MMMM": "{month}", "M": "{month}", "y": "{year}"}
    text = re.sub(r"'([^']*)'|MMMM|M|d|y", lambda match: match[1] or fields[match.group()], pattern)
    return text, tuple(str(number) if numeric else str(months[number]) for number in range(1, 13))


def decimal(value: float, language: str) -> str:
    """A number with at most one decimal, by the language's own sign: "8.3", in German "8,3"."""
    return format_decimal(round(value, 1), format="0.#", locale=_locale(language))


def names(people: Sequence[str], language: str) -> str:
    """Names as a list in words: "Ana, Bo, and Cy"."""
    return format_list(list(people), style="standard", locale=_locale(language))


def rubric_kind(rubric: str) -> str:
    """Which "read" words fit the rubric: "review", "interview" or "piece"."""
    if rubric == "interview":
        return "interview"
    return "piece" if rubric in {"feature", "list", "news", ""} else "review"
