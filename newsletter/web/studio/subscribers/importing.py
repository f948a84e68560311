"""A file of subscribers brought in by steps: bring it, say what its columns are and how these people agreed, try, do.

The file lies in the home between the steps (flow.membership.uploads), and only its address goes through the browser.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.core.errors import NewsletterError, SubscriberError
from newsletter.flow.membership import uploads
from newsletter.flow.membership.uploads import Upload
from newsletter.flow.people import Role
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.subscribers.showing import chosen, lists, show
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy
from subscribers.csv_io import Look
from subscribers.errors import SubscribersError

MEANINGS = (
    ("", gettext_lazy("Leave aside")),
    ("email", gettext_lazy("Address")),
    ("name", gettext_lazy("Name")),
    ("first name", gettext_lazy("First name")),
    ("last name", gettext_lazy("Last name")),
    ("language", gettext_lazy("Language")),
    ("topics", gettext_lazy("Topics")),
    ("joined", gettext_lazy("Day they joined")),
    ("confirmed", gettext_lazy("Day they confirmed")),
    ("attributes", gettext_lazy("Custom attributes, as JSON")),
)
KEEP = "keep"
"""Of a column that means nothing to us: keep it under its own name as a custom attribute."""
MOST_COLUMNS = 200
LONGEST_WORDING = 2_000


@allowed(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponseBase:
    """A file, or what was pasted."""
    if request.method != "POST":
        return _begin(request)
    try:
        wanted = chosen(lists(), request.POST.get("list", ""))
        if wanted is None:
            raise SubscriberError(_("There is no list yet."), hint=_("Describe a newsletter in magazine.toml first."))
        file, pasted = request.FILES.get("file"), request.POST.get("pasted", "")
        if not isinstance(file, UploadedFile) and not pasted.strip():
            raise SubscriberError(_("There is no file, and nothing was pasted."), hint=_("Choose one of the two."))
        home = settings.NEWSLETTER.need_home()
        uploads.expire(home, timezone.now())
        pieces: Iterable[bytes] = file.chunks() if isinstance(file, UploadedFile) else (pasted.encode(),)
        name = str(file.name) if isinstance(file, UploadedFile) else "pasted"
        made = uploads.keep(home, pieces, name=name, mailing_list=wanted, owner=_owner(request))
    except NewsletterError as error:
        return _begin(request, problem=str(error), status=422)
    return _to(made)


@allowed(Role.ADMIN)
@require_safe
def step(request: HttpRequest, token: str) -> HttpResponseBase:
    """Where this file stands."""
    upload = _find(request, token)
    return _step(request, upload)


@allowed(Role.ADMIN)
@require_POST
def try_out(request: HttpRequest, token: str) -> HttpResponseBase:
    """Keep what was said about the columns and the people, and say what would happen."""
    upload = _find(request, token)
    if upload.state == "done":
        return _to(upload)
    upload.wording = " ".join(request.POST.get("wording", "").replace("\x00", "").split())[:LONGEST_WORDING]
    upload.encoding = request.POST.get("encoding", "").strip()[:40]
    upload.keep_columns = bool(request.POST.get("keep_columns"))
    try:
        upload.mapping, upload.leave = _plan(request, uploads.look(upload))
        uploads.try_out(upload, now=timezone.now())
    except (NewsletterError, SubscribersError) as error:
        return _step(request, upload, problem=str(error), status=422)
    return _to(upload, "#report")


@allowed(Role.ADMIN)
@require_POST
def run(request: HttpRequest, token: str) -> HttpResponseBase:
    """Do what was tried."""
    upload = _find(request, token)
    try:
        if upload.state != "done":
            uploads.bring_in(upload, now=timezone.now(), by=request.user.get_username())
    except (NewsletterError, SubscribersError) as error:
        return _step(request, upload, problem=str(error), status=409)
    return _to(upload)


@allowed(Role.ADMIN)
@require_POST
def drop(request: HttpRequest, token: str) -> HttpResponseBase:
    """Throw the file away."""
    uploads.drop(_find(request, token))
    return private(HttpResponseRedirect(reverse("import")))


@allowed(Role.ADMIN)
@require_safe
def differences(request: HttpRequest, token: str) -> HttpResponseBase:
    """What becomes of each row, as CSV: no cell of it runs in a spreadsheet."""
    upload = _find(request, token)
    if not upload.report or not upload.differences.is_file():
        raise Http404("It was not tried yet.")
    answer = FileResponse(upload.differences.open("rb"), as_attachment=True, filename="differences.csv",
                          content_type="text/csv; charset=utf-8")  # fmt: skip
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return private(answer)  # type: ignore[arg-type] # it only sets headers


def _owner(request: HttpRequest) -> int:
    return int(request.user.pk or 0)


def _find(request: HttpRequest, token: str) -> Upload:
    home: Path | None = settings.NEWSLETTER.home
    found = uploads.find(home, token, owner=_owner(request), now=timezone.now()) if home else None
    if found is None:
        raise Http404("There is no such file any more.")
    return found


def _to(upload: Upload, place: str = "") -> HttpResponse:
    return private(HttpResponseRedirect(reverse("import-step", args=[upload.token]) + place))


def _begin(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    now: datetime = timezone.now()
    home: Path | None = settings.NEWSLETTER.home
    waiting = uploads.mine(home, owner=_owner(request), now=now) if home else []
    context = {
        "lists": lists(),
        "wanted": request.POST.get("list", ""),
        "pasted": request.POST.get("pasted", ""),
        "waiting": waiting,
        "largest": uploads.LARGEST // 2**20,
        "problem": problem,
    }
    return show(request, "import", context, status=status)


def _step(request: HttpRequest, upload: Upload, *, problem: str = "", status: int = 200) -> HttpResponse:
    rows = upload.running(timezone.now())
    context: dict[str, Any] = {"upload": upload, "problem": problem, "report": upload.report, "running": rows}
    if rows is not None and not problem:
        return show(request, "running", context, status=status)
    if upload.state == "done":
        return show(request, "outcome", context, status=status)
    tables: list[Look] = []
    try:
        tables = uploads.look(upload)
    except SubscribersError as error:
        context["problem"] = problem or str(error)
        if upload.encoding:  # mistyped, perhaps: the page has to stay one where it can be mended
            tables = _looked(upload)
    context |= {
        "tables": tables,
        "columns": _columns(request, upload, tables),
        "meanings": MEANINGS,
        "keep": KEEP,
        "list": upload.list_slug,
    }
    return show(request, "columns", context, status=status)


def _looked(upload: Upload) -> list[Look]:
    try:
        return uploads.look(replace(upload, encoding=""))
    except SubscribersError:
        return []


def _choosable(tables: list[Look]) -> bool:
    """One table, with a header, that is no known service's export: those are understood as a whole."""
    return len(tables) == 1 and tables[0].has_header and not tables[0].service


def _columns(request: HttpRequest, upload: Upload, tables: list[Look]) -> list[dict[str, Any]]:
    """The columns with what is chosen for each; [] where there is nothing to choose."""
    if not _choosable(tables):
        return []
    chosen_for = {header: meaning for meaning, header in upload.mapping.items()}
    fresh = upload.state == "new" and not upload.mapping and not upload.leave
    made = []
    for place, column in enumerate(tables[0].columns[:MOST_COLUMNS]):
        said = chosen_for.get(column.header, "")
        now = column.meaning if fresh else KEEP if said.startswith("attributes.") else said
        typed = request.POST.get(f"column{place}", now)
        made.append({"place": place, "column": column, "chosen": typed})
    return made


def _plan(request: HttpRequest, tables: list[Look]) -> tuple[dict[str, str], list[str]]:
    """What the page's choices mean for the engine. Raises `SubscriberError` for two columns of one meaning."""
    mapping: dict[str, str] = {}
    leave: list[str] = []
    if not _choosable(tables):
        return mapping, leave
    known = dict(MEANINGS)
    for place, column in enumerate(tables[0].columns[:MOST_COLUMNS]):
        wanted = request.POST.get(f"column{place}", "")
        if column.fixed or not column.header:
            continue
        meaning = f"attributes.{column.header}" if wanted == KEEP else wanted if wanted in known else ""
        if not meaning:
            leave.append(column.header)
        elif meaning in mapping:
            said = _("Two columns are the %(meaning)s: “%(first)s” and “%(second)s”.")
            named = {"meaning": known.get(meaning, meaning).lower(), "first": mapping[meaning], "second": column.header}
            raise SubscriberError(said % named, hint=_("Keep one."))
        else:
            mapping[meaning] = column.header
    if "email" not in mapping:
        raise SubscriberError(_("No column is the address."), hint=_("Say which one is."))
    return mapping, leave
