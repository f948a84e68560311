"""Addresses of the pages for editors."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from newsletter.web.studio import account, again, audit, home, issues, login, outcome, sending, team, welcome
from newsletter.web.studio.access import everybody
from newsletter.web.studio.designs import pages as designs
from newsletter.web.studio.desk import live
from newsletter.web.studio.desk import pages as desk
from newsletter.web.studio.settings import dns as settings_dns
from newsletter.web.studio.settings import pages as settings
from newsletter.web.studio.settings import sending as settings_sending
from newsletter.web.studio.sources import adding
from newsletter.web.studio.sources import pages as sources

urlpatterns = [
    path("", everybody(RedirectView.as_view(pattern_name="studio"))),
    # Django's admin names no icon, so browsers ask.
    path("favicon.ico", everybody(RedirectView.as_view(url=static("icon.svg")))),
    path("login/", everybody(login.Login.as_view()), name="login"),
    path("login/code", everybody(login.code), name="login-code"),
    path("login/<str:token>", everybody(login.once), name="login-once"),
    path("logout/", everybody(LogoutView.as_view()), name="logout"),
    path("join/<str:token>", everybody(team.join), name="join"),
    path("studio/account/", account.page, name="account"),
    path("studio/account/password", account.password, name="account-password"),
    path("studio/account/address", account.address, name="account-address"),
    path("studio/account/second-step/", account.second_step_page, name="second-step"),
    path("studio/account/second-step/<slug:verb>", account.second_step_act, name="second-step-act"),
    path("studio/again/", again.again, name="again"),
    path("studio/audit/", audit.page, name="audit"),
    path("studio/team/", team.page, name="team"),
    path("studio/team/invite", team.invite, name="team-invite"),
    path("studio/team/invitations/<int:invitation>/withdraw", team.withdraw, name="team-withdraw"),
    path("studio/team/<int:person>/role", team.change, name="team-role"),
    path("studio/team/<int:person>/second-step-off", team.second_step_off, name="team-second-step-off"),
    path("studio/team/<int:person>/remove", team.remove, name="team-remove"),
    # Fixed names stand before the routes of newsletters, none of which may be called so (apply.readers.RESERVED).
    path("studio/subscribers/", include("newsletter.web.studio.subscribers.urls")),
    path("studio/designs/", designs.gallery, name="designs"),
    path("studio/designs/<slug:newsletter>/choose", designs.choose, name="design-choose"),
    path("studio/designs/<slug:newsletter>/look/<slug:design>", designs.look, name="design-look"),
    path("studio/designs/<slug:newsletter>/tokens", designs.tokens, name="design-tokens"),
    path("studio/designs/<slug:newsletter>/save", designs.save, name="design-save"),
    path("studio/settings/", settings.index, name="settings"),
    path("studio/settings/file", settings.file, name="settings-file"),
    path("studio/settings/magazine.toml", settings.dump, name="settings-dump"),
    path("studio/settings/<slug:newsletter>/identity", settings.identity, name="settings-identity"),
    path("studio/settings/<slug:newsletter>/sending", settings_sending.sending, name="settings-sending"),
    path("studio/settings/<slug:newsletter>/dns", settings_dns.dns, name="settings-dns"),
    path("studio/settings/<slug:newsletter>/schedule", settings.schedule, name="settings-schedule"),
    path("studio/sources/", sources.index, name="sources"),
    path("studio/sources/add/", adding.look, name="source-add"),
    path("studio/sources/save", adding.save, name="source-save"),
    path("studio/sources/why/", sources.why, name="why"),
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
    path("studio/<slug:newsletter>/<str:slot>/edit/try", live.attempt, name="desk-try"),
    path("studio/<slug:newsletter>/<str:slot>/edit/words", desk.words, name="desk-words"),
    path("studio/<slug:newsletter>/<str:slot>/edit/order", desk.order, name="desk-order"),
    path("studio/<slug:newsletter>/<str:slot>/edit/picture", desk.picture, name="desk-picture"),
    path("studio/<slug:newsletter>/<str:slot>/edit/pointed", desk.pointed, name="desk-pointed"),
    path("studio/<slug:newsletter>/<str:slot>/edit/undo", desk.undo, name="desk-undo"),
    path("studio/<slug:newsletter>/<str:slot>/edit/ignore", desk.ignore_check, name="desk-ignore"),
]
