"""Addresses of the pages for editors."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from newsletter.web.studio import audit, home, issues, login, outcome, sending, team, welcome
from newsletter.web.studio.access import everybody
from newsletter.web.studio.desk import pages as desk
from newsletter.web.studio.sources import adding
from newsletter.web.studio.sources import pages as sources

urlpatterns = [
    path("", everybody(RedirectView.as_view(pattern_name="studio"))),
    # Django's admin names no icon, so browsers ask.
    path("favicon.ico", everybody(RedirectView.as_view(url=static("icon.svg")))),
    path("login/", everybody(login.Login.as_view()), name="login"),
    path("login/<str:token>", everybody(login.once), name="login-once"),
    path("logout/", everybody(LogoutView.as_view()), name="logout"),
    path("join/<str:token>", everybody(team.join), name="join"),
    path("studio/audit/", audit.page, name="audit"),
    path("studio/team/", team.page, name="team"),
    path("studio/team/invite", team.invite, name="team-invite"),
    path("studio/team/invitations/<int:invitation>/withdraw", team.withdraw, name="team-withdraw"),
    path("studio/team/<int:person>/role", team.change, name="team-role"),
    path("studio/team/<int:person>/remove", team.remove, name="team-remove"),
    path("studio/sources/", sources.index, name="sources"),
    path("studio/sources/add/", adding.look, name="source-add"),
    path("studio/sources/save", adding.save, name="source-save"),
    path("studio/sources/why/", sources.why, name="why"),
    path("studio/sources/magazine.toml", sources.magazine_file, name="magazine-file"),
    path("studio/sources/picture/<str:token>", adding.picture, name="source-picture"),
    path("studio/source/<slug:source>/", sources.page, name="source"),
    path("studio/source/<slug:source>/<slug:verb>", sources.act, name="source-act"),
    path("studio/welcome/", welcome.page, name="welcome"),
    path("studio/welcome/design", welcome.choose, name="welcome-design"),
    path("studio/welcome/sample", welcome.send, name="welcome-sample"),
    path("studio/welcome/letter/<slug:design>", welcome.letter, name="welcome-letter"),
    path("studio/mail/<int:test>/", welcome.mail, name="test-mail"),
    path("studio/mail/<int:test>/letter", welcome.mail_letter, name="test-mail-letter"),
    path("studio/", home.index, name="studio"),
    path("studio/plan/<slug:newsletter>/<slug:verb>", home.plan, name="studio-plan"),
    path("studio/<slug:newsletter>/<str:slot>/", issues.page, name="issue"),
    path("studio/<slug:newsletter>/<str:slot>/cover", home.cover, name="issue-cover"),
    path("studio/<slug:newsletter>/<str:slot>/letter", issues.letter, name="issue-letter"),
    path("studio/<slug:newsletter>/<str:slot>/approve", issues.approve, name="issue-approve"),
    path("studio/<slug:newsletter>/<str:slot>/send", sending.page, name="issue-send"),
    path("studio/<slug:newsletter>/<str:slot>/send/live", sending.live, name="issue-send-live"),
    path("studio/<slug:newsletter>/<str:slot>/send/<str:verb>", sending.act, name="issue-send-act"),
    path("studio/<slug:newsletter>/<str:slot>/outcome", outcome.page, name="issue-outcome"),
    path("studio/<slug:newsletter>/<str:slot>/outcome.csv", outcome.download, name="issue-outcome-csv"),
    path("studio/<slug:newsletter>/<str:slot>/add", issues.add, name="issue-add"),
    path("studio/<slug:newsletter>/<str:slot>/edit", desk.page, name="desk"),
    path("studio/<slug:newsletter>/<str:slot>/edit/letter", desk.letter, name="desk-letter"),
    path("studio/<slug:newsletter>/<str:slot>/edit/words", desk.words, name="desk-words"),
    path("studio/<slug:newsletter>/<str:slot>/edit/order", desk.order, name="desk-order"),
    path("studio/<slug:newsletter>/<str:slot>/edit/ignore", desk.ignore_check, name="desk-ignore"),
]
