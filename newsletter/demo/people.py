"""Forty readers of every kind. All of them are invented, and none of their addresses can exist."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Person:
    """One reader: `topics` empty for every topic, `ends` what becomes of them before the issue goes out:
    "" (active), "pending", "unsubscribed" or "suppressed".
    """

    address: str
    name: str = ""
    language: str = "en"
    topics: tuple[str, ...] = ()
    plain_text: bool = False
    attributes: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    ends: str = ""


REFUSED = "moved.away@example.org"
"""The one address that the demo's mail server refuses with 550 5.1.1."""

_LONG_NAME = (
    "Maximiliane-Theodora Freifrau von und zu Hohenwaldau-Lichtenstern-Brandtmeier, "
    "Vorsitzende des Fördervereins der städtischen Lichtspielhäuser"
)

PEOPLE: tuple[Person, ...] = (
    Person("nora.whitlock@example.org", "Nora Whitlock", attributes={"city": "Harbor Town", "member": True}),
    Person("theo@example.org", "Theo"),
    Person("no.name@example.org"),
    Person("films.only@example.org", "Priya Ramanathan-Cole", topics=("movie",)),
    Person("loud.rooms@example.org", "Gus Ferreira", topics=("concert", "music")),
    Person("shelf@example.org", "Agnes Thornbury", topics=("book",)),
    Person("stage.door@example.org", "Lionel Asante", topics=("theatre", "interview")),
    Person("sofa@example.org", "Carmen Dietrich-Solís", topics=("tv", "movie", "game")),
    Person("player.one@example.org", "Kit", topics=("game",)),
    Person("essays@example.org", "Imogen Farrow", topics=("feature", "interview", "list")),
    Person("plain@example.org", "Walter Okafor", plain_text=True),
    Person("plain.films@example.org", "Ada Brightwell", topics=("movie",), plain_text=True),
    Person("comma@example.org", "Quill, Mara (staff)"),
    Person("quotes@example.org", 'Robert "Bobby" O’Malley'),
    Person("backslash@example.org", "Ana \\ Bruno"),
    Person("angle@example.org", "<b>Bold</b> & Sons"),
    Person("braces@example.org", "Curly {Braces} & Co."),
    Person("percent@example.org", "100% %s {name} $name"),
    Person("emoji@example.org", "Júlia 🎬🍿"),
    Person("family@example.org", "The 👩‍👩‍👧‍👦 Lindqvists"),
    Person("long.name@example.org", _LONG_NAME, language="de"),
    Person(
        "a.very.long.address.that.still.is.one.because.rfc.5321.says.so@a-domain-with-a-rather-long-name.example.org"
    ),
    Person("plus+lantern@example.org", "Plus Tag"),
    Person("o'brien@example.org", "Síle O'Brien"),
    Person("UPPER.Case@example.org", "Ursula Upper"),
    Person("jonas.weber@example.org", "Jonas Weber", language="de"),
    Person("frieda@bücherstube.test", "Frieda Grünwald", language="de", topics=("book", "theatre")),
    Person("greta.plain@example.org", "Greta Süß", language="de", plain_text=True),
    Person("layla@example.org", "ليلى الحداد", language="ar"),
    Person("omar@example.org", "عمر بن سالم", language="ar", topics=("movie", "music")),
    Person("yuki@example.org", "山本 雪", language="ja"),
    Person("haruto@example.org", "佐藤陽斗", language="ja", topics=("game", "music"), plain_text=True),
    Person("mei@example.org", "王小梅", language="zh"),
    Person("noa@example.org", "נועה לוי", language="he"),
    Person("chloe@example.org", "Chloé d’Arcy", language="fr", topics=("movie", "theatre", "book")),
    Person("lucia@example.org", "Lucía Ñáñez", language="es"),
    Person(REFUSED, "Percy Gone"),
    Person("changed.her.mind@example.org", "Olive Tran", ends="unsubscribed"),
    Person("not.yet@example.org", "Ravi Sundaram", ends="pending"),
    Person("full.mailbox@example.org", "Hubert Klamm", ends="suppressed"),
)
