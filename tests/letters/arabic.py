"""The same kinds of week in Arabic: reference issues that run from right to left throughout."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from newsletter.core import cards, context
from newsletter.core.content import EntryContent, Rating, Release, Work
from newsletter.core.words import week_of, words
from tests.letters import issues

_BODY = {
    "bread": (
        "يبدأ فيلم «خبز الفجر» في الرابعة صباحًا أمام فرن لا يعرف أحد متى أُطفئ آخر مرة، "
        "ولا يغادره قبل أن تبرد الصينية "
        "الأخيرة. ثلاثة إخوة يرثون المخبز عن أبيهم، ولا يرث أحد منهم الوصفة. ما يدور بعد "
        "ذلك ليس خلافًا على المال، بل على "
        "الملح: كم كان يضع، ولماذا لم يقل لهم.\n"
        "تصوّر ليان حداد الأيدي قبل الوجوه، وتترك للنار أن تضيء ما يخفيه الحوار. وحين تتكلم الأخت أخيرًا، في الدقيقة "
        "التسعين، تكون قد قالت كل شيء بالعجين."
    ),
    "orange": (
        "في رواية عمر الشامي شجرة نارنج واحدة تظل على أربعة بيوت، وكل بيت يعدّها له. تمر "
        "خمسون سنة في مئتي صفحة، ولا يقطف "
        "أحد ثمرة من غير أن يحسب حساب الجيران، حتى تأتي ليلة يختفي فيها الظل."
    ),
    "port": (
        "سُجّل هذا الألبوم على رصيف مهجور بميكروفونين وقارب، ويمكنك أن تسمع المد وهو يغيّر "
        "الإيقاع. سبع أغنيات بلا لازمة "
        "واحدة، وصوت سارة نعيم فيها كلها أقرب إليك من الآلات."
    ),
    "night": (
        "تسع حلقات وخط واحد ولا حبكة تُذكر: يغادر الرقم 14 المستودع عند منتصف الليل ويعود "
        "في الخامسة. لكل راكب عشر دقائق، "
        "ونصفهم يستحق مسلسلًا يخصه وحده، وسائق لا يلتفت إلا مرة."
    ),
    "hall": (
        "دخلوا متأخرين ولم يقولوا شيئًا طوال ست أغنيات. ثم سألت بيا لوند عن الساعة، فأجابها "
        "أحدهم، فعزفت السابعة بضعف السرعة "
        "كي تلحق بها. كانت ليلة من ذلك النوع، وخرجنا منها مبتلين وراضين."
    ),
    "mara": (
        "كتبت توفه أدييمي إحدى عشرة مسرحية عن أمها، وتقول إن الثانية عشرة عن كلب. التقينا "
        "في المسرح الخالي الذي تُفتتح فيه "
        "الأسبوع المقبل، وأجابت عن كل الأسئلة إلا سؤالًا واحدًا."
    ),
    "garden": (
        "تزرع أشياء فتموت. هذه هي اللعبة الصغيرة العنيدة كلها، وبعد عشر ساعات كنت قد حفظت "
        "أسماء ثلاثين عشبة وصوت البيت "
        "الزجاجي تحت المطر بالضبط."
    ),
    "list": (
        "النهايات صعبة. هذه سبع نجت، من فيلم يتوقف في منتصف جملة إلى رواية صفحتها الأخيرة "
        "إيصال. كلها محروقة طبعًا، فمن لم يشاهد "
        "فليغلق الصفحة."
    ),
}


def _entry(key: str, title: str, rubric: str, author: str, **more: object) -> EntryContent:
    return issues.entry(key, title, rubric, author, body_text=_BODY[key], language="ar", **more)


ENTRIES = {
    "bread": _entry(
        "bread",
        "«خبز الفجر» يعرف متى يسكت",
        "movie",
        "سلمى الحداد",
        work=Work("خبز الفجر", "Movie", "2026", ("ليان حداد",), ("رامي عازر", "هدى منصور")),
        release=Release(date(2026, 11, 6), "month-day", "يُعرض", "صالات السينما", "في صالات السينما ابتداءً من 6 نوفمبر"),
        rating=Rating("4.5", "5"),
    ),
    "night": _entry(
        "night",
        "«حافلة الليل» (Night Bus) لا وجهة لها",
        "tv",
        "نور العلي",
        work=Work("Night Bus", "TVSeries", "2026", ("Sol Whitaker",), ("Nia Frost",), "القناة التاسعة"),
        release=Release(date(2026, 11, 12), "day", "يبدأ", "القناة التاسعة", "يبدأ في 12 نوفمبر"),
        rating=Rating("3", "5"),
    ),
    "orange": _entry(
        "orange",
        "ظلّ النارنج لا يكفي أربعة بيوت",
        "book",
        "يوسف مراد",
        work=Work("ظلّ النارنج", "Book", "2026", ("عمر الشامي",), (), "دار المرسى"),
        rating=Rating("8.3", "10"),
    ),
    "port": _entry(
        "port",
        "سارة نعيم تترك الباب للبحر",
        "music",
        "هالة سعيد",
        work=Work("ميناء", "MusicAlbum", "2026", ("سارة نعيم",), (), "تسجيلات الرصيف"),
        release=Release(date(2026, 10, 30), "day", "صدر", "", "صدر في 30 أكتوبر"),
        rating=Rating("B+", ""),
    ),
    "hall": _entry(
        "hall",
        "Pia Lund at Corn Hall: Six Songs and a Clock",
        "concert",
        "سلمى الحداد",
        work=Work("Pia Lund", "MusicEvent", "", ("Pia Lund",), (), "Corn Hall"),
    ),
    "mara": _entry("mara", "توفه أدييمي تفضّل الحديث عن الكلب", "interview", "نور العلي"),
    "garden": _entry(
        "garden",
        "لعبة حديقة يموت فيها كل شيء على نحو جميل",
        "game",
        "يوسف مراد",
        work=Work("Weeds", "VideoGame", "2026", ("Small Spade",), (), "PC"),
        rating=Rating("4", "5"),
    ),
    "list": _entry("list", "سبع نهايات نجت بفعلتها", "list", "هيئة التحرير"),
}

STOCK = issues.Stock(
    language="ar",
    entries=ENTRIES,
    pictures={
        "bread": (1200, 675, "فرن متوهج قبل الفجر وأرغفة على لوح من خشب", "عن خبز الفجر"),
        "night": (720, 480, "نافذة حافلة مضاءة ليلًا وراكب نائم", "القناة التاسعة"),
        "orange": (480, 720, "غلاف ظلّ النارنج: شجرة ظلها امرأة تقرأ", ""),
        "port": (720, 720, "غلاف ميناء: نغمات على أسلاك فوق ماء معتم", "تسجيلات الرصيف"),
        "hall": (720, 480, "مغنية أمام الميكروفون تنظر إلى معصمها", "Theo Brandt"),
        "mara": (720, 480, "كاتبة وحدها في الصف الثالث من مسرح خال", "Lena Moss"),
        "garden": (720, 480, "بيت زجاجي مرسوم تحت المطر", "Small Spade"),
    },
    magazine=context.Magazine(
        name="الفانوس",
        url="https://lantern.example/",
        about="مراجعات لما يستحق أمسيتك، بأقلام من اشتروا تذاكرهم بأنفسهم.",
        legal_name="Lantern Press LLC",
        address_lines=("Lantern Press LLC", "12 Main Street", "Port Ellery, ME 04101", "USA"),
        privacy_url="https://lantern.example/privacy",
        rights="© 2026 Lantern Press LLC",
    ),
    newsletter="رسالة الفانوس",
    tagline="ما يستحق أمسيتك",
    note=(
        "أمطرت في العرض الصحفي وفي الأمسية الشعرية وفي الحفل، وكان مع ذلك أجمل أسبوع في "
        "الخريف. إن لم تكن لك إلا أمسية واحدة "
        "فامنحها لخبز ليان حداد.",
        "وإن كانت لك اثنتان فشجرة عمر الشامي في مئتي صفحة، وقد فاتتني محطتي بسببها مرتين.",
    ),
    signature="سلمى الحداد، رئيسة التحرير",
    earlier=(
        ("9", "بعد الظهر الطويل يزداد طولًا", "movie"),
        ("8", "#30DaysLive: Night Nineteen", "concert"),
        ("7", "ليان حداد لم تنته من الطبخ", "interview"),
    ),
    promo=("المجلة المطبوعة", "العدد 38 في 96 صفحة من القراءات الطويلة.", "احصل على المجلة المطبوعة"),
    cover="غلاف العدد 38: مائدة غداء من فوق",
)


_AGAIN = replace(
    ENTRIES["bread"],
    title="رغيف أقل في «خبز الفجر»: نظرة ثانية",
    title_clean="رغيف أقل في «خبز الفجر»: نظرة ثانية",
    url="https://lantern.example/movie/bread-again",
    authors=("يوسف مراد",),
    body_text=(
        "خرجت جائعًا، وليس من الشوق. يطيل الفيلم النظر إلى العجين حتى تنسى من يعجنه، وحين يصل الخلاف إلى المال "
        "أخيرًا يكون نصف القاعة قد قال كلمته همسًا."
    ),
    rating=Rating("2.5", "5"),
    release=None,
)
_INTERVIEW = replace(
    ENTRIES["mara"],
    body_html=(
        "<p>التقينا في المسرح الخالي الذي تُفتتح فيه الأسبوع المقبل.</p>"
        "<p><strong>لماذا كلب، بعد إحدى عشرة مسرحية عن أمك؟</strong> لأن أمي شاهدت المسرحيات كلها، وطلبت دورًا تستلقي "
        "فيه.</p>"
    ),
)


def everything() -> context.IssueContent:
    """Every block of the content model at once."""
    stock = replace(
        STOCK,
        entries={
            **ENTRIES,
            "mara": _INTERVIEW,
            "hall": replace(ENTRIES["hall"], event_date=date(2026, 11, 2)),
            "again": _AGAIN,
        },
    )
    base = issues.build("bread", ["night", "orange", "port", "hall", "mara", "again"], ["garden", "list"], stock=stock)
    *shown, again = base.cards
    shown[1] = replace(shown[1], pick=True)
    seats = context.Picture(f"{issues.HOST}/media/club.jpg", "أربعة مقاعد حمراء", 720, 480, shape="wide")
    return context.numbered(
        replace(
            base,
            issue=replace(
                base.issue,
                week=week_of(issues.DAY, "ar"),
                listen=context.Link("ميناء، الوجه الأول", "https://lantern.example/listen/port"),
            ),
            quote=context.Quote(
                "حين تتكلم الأخت أخيرًا، تكون قد قالت كل شيء بالعجين.",
                "سلمى الحداد عن خبز الفجر",
                "movie",
                ENTRIES["bread"].url,
            ),
            cards=tuple(shown),
            pairs=(context.Pair("خبز الفجر", "movie", (again,), with_lead=True),),
            sponsor=context.Sponsor(
                words("ar")["sponsored"],
                "نادي الأورفيوم: أربعة مقاعد وأربعة أفلام بسعر واحد",
                "تذكرة موسم لمن يقررون في السابعة والنصف.",
                "اكتشف الموسم",
                "https://orpheum.example/club",
                seats,
            ),
            corrections=(
                context.Correction(
                    ENTRIES["orange"].title_clean,
                    ENTRIES["orange"].url,
                    "الشجرة تظل على أربعة بيوت لا خمسة.",
                    ENTRIES["orange"].title_clean,
                ),
            ),
            also_like=(
                cards.titled(
                    context.Line(
                        "5", "", "https://lantern.example/movie/doors", "movie", "مراجعة فيلم", "بقلم نور العلي"
                    ),
                    "للمطبخ بابان",
                    "ar",
                ),
            ),
            forward_url=f"{issues.HOST}/i/weekly/{issues.DAY.isoformat()}/forward",
            subscribe_url=f"{issues.HOST}/s/weekly",
        )
    )


def rich() -> context.IssueContent:
    """Everything that a source gives."""
    return issues.build("bread", ["night", "orange", "port", "hall", "mara"], ["garden", "list"], stock=STOCK)


def thin() -> context.IssueContent:
    """Three reviews, one without a picture, no note."""
    return issues.build("bread", ["orange", "list"], note=(), more=False, promo=False, stock=STOCK)


def without_pictures() -> context.IssueContent:
    """The same rich week with no picture at all."""
    return issues.build("bread", ["night", "orange", "port", "mara"], ["garden"], pictures=False, stock=STOCK)
