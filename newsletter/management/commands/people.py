"""`newsletter people`: who works here, and the ways back in for whoever is locked out."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from newsletter.config.toml import nearest
from newsletter.flow import inviting, second_step
from newsletter.flow.deliver import Installation
from newsletter.flow.people import VALID, Role, role_of, tell
from newsletter.management.arguments import add_by, clock, somebody
from newsletter.web.studio.login import login_link
from newsletter.web.studio.team import join_link


class Command(BaseCommand):
    help = "Show who works here; invite somebody; print a log-in link; turn off the second step of a lost device."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listed = actions.add_parser("list", help="everybody with an account, their role and second step")
        listed.add_argument("--json", action="store_true", help="as JSON")
        invite = actions.add_parser("invite", help="make a link that lets one person in, once, within seven days")
        invite.add_argument("role", choices=[role.word for role in Role], help="what the person may do")
        invite.add_argument("--whom", default="", metavar="NAME", help="who it is, for the list of invitations")
        invite.add_argument("--mail", default="", metavar="ADDRESS", help="mail the link there in place of printing it")
        add_by(invite)
        link = actions.add_parser("link", help="print a link that logs somebody in once, within a day")
        link.add_argument("name", metavar="NAME", help="of the account")
        link.add_argument("--lost-device", action="store_true", help="and turn the second step off, or it is asked")
        add_by(link)
        off = actions.add_parser("second-step-off", help="let a password alone log somebody in again")
        off.add_argument("name", metavar="NAME", help="of the account")
        add_by(off)

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self._list, "invite": self._invite, "link": self._link, "second-step-off": self._off}[
            options["action"]
        ](options)

    def _list(self, options: dict[str, Any]) -> None:
        rows = [
            {
                "name": user.get_username(),
                "role": role.word if (role := role_of(user)) else "removed",
                "second_step": second_step.has(user),
                "last_login": user.last_login.isoformat(timespec="seconds") if user.last_login else None,
            }
            for user in User.objects.order_by("username")
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"people": rows}, indent=2, ensure_ascii=False))
            return
        for row in rows:
            step = ", second step" if row["second_step"] else ""
            self.stdout.write(f"{row['name']}: {row['role']}{step}, last in {row['last_login'] or 'never'}")
        if not rows:
            self.stdout.write("Nobody yet. Type: newsletter serve, and it prints the first log-in.")

    def _invite(self, options: dict[str, Any]) -> None:
        invited = inviting.invite(
            Role.named(options["role"]),
            options["whom"],
            options["mail"],
            now=clock(),
            by=somebody(options["by"]),
            link_of=join_link,
            installation=Installation.of(settings.NEWSLETTER, os.environ),
        )
        if invited.trouble:
            self.stderr.write(f"It was not mailed to {invited.address}: {invited.trouble}")
        if invited.link:
            self.stderr.write(f"For one person, once, within {VALID.days} days:")
            self.stdout.write(invited.link)
        else:
            self.stdout.write(f"Mailed to {invited.address}.")

    def _link(self, options: dict[str, Any]) -> None:
        user, now, by = _user(options["name"]), clock(), somebody(options["by"])
        if options["lost_device"]:
            second_step.turn_off(user, now=now, by=by)
        elif second_step.has(user):
            self.stderr.write("After it the second step is asked. Lost the device? Add --lost-device.")
        tell("log-in link", f"A log-in link for {user.get_username()} was printed.", now, by)
        self.stdout.write(login_link(user, settings.NEWSLETTER.base_url, now))

    def _off(self, options: dict[str, Any]) -> None:
        user = _user(options["name"])
        if second_step.turn_off(user, now=clock(), by=somebody(options["by"])):
            self.stdout.write(f"The password alone logs {user.get_username()} in now.")
        else:
            self.stdout.write(f"{user.get_username()} has no second step. Nothing was changed.")


def _user(name: str) -> User:
    """Raises `CommandError` that names the nearest, for a name that nobody has and for an account that is closed."""
    user = User.objects.filter(username=name).first()
    if user is None:
        known = list(User.objects.order_by("username").values_list("username", flat=True))
        raise CommandError(f'There is nobody called "{name}". {nearest(name, known)}'.strip(), returncode=2)
    if not user.is_active:
        raise CommandError(f"{name} was removed. Let them in again first, on the team page.", returncode=2)
    return user
