"""The PAM linter: each hole is found, and files as Debian and Fedora ship them have none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loginward.runtime.doctor_pam import lint, stack
from loginward.wire.admin.rows import Level

SAMPLES = Path(__file__).parents[1] / "vectors/pam"
ROOT = frozenset({"root"})
AUTH = "auth\t[success=2 ignore=ignore user_unknown=ignore default=die]\tpam_loginward.so ignore_unavailable\n"
ACCOUNT = "account\t[success=2 new_authtok_reqd=done ignore=ignore user_unknown=ignore default=die]\tpam_loginward.so\n"


@pytest.mark.parametrize("name", ["debian12", "fedora40", "suse15"])
def test_stock_files_are_only_not_switched_on(name: str) -> None:
    (found,) = lint(SAMPLES / name, ROOT)
    assert (found.level, found.check) == (Level.WARNING, "pam")
    assert "not switched on" in found.text


def test_debian_with_our_profile_is_fine() -> None:
    assert list(lint(SAMPLES / "debian12-loginward", ROOT)) == []


def test_fedora_by_the_book_is_fine(tmp_path: Path) -> None:
    """The lines of docs/pam.md, before pam_unix of each kind."""
    folder = Path(shutil.copytree(SAMPLES / "fedora40", tmp_path / "pam.d"))
    for name in ("system-auth", "password-auth"):
        text = (folder / name).read_text()
        text = text.replace(
            "auth        required                                     pam_env",
            AUTH.replace("success=2", "success=done") + "auth required pam_env",
        )
        text = text.replace(
            "account     required                                     pam_unix",
            ACCOUNT.replace("success=2", "success=done") + "account required pam_unix",
        )
        (folder / name).write_text(text)
    assert list(lint(folder, ROOT)) == []


def test_suse_with_our_lines_first_is_fine(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLES / "suse15", tmp_path / "pam.d"))
    for name, ours in (("common-auth", AUTH), ("common-account", ACCOUNT)):
        line = ours.replace("success=2", "success=done")
        (folder / name).write_text(line + (folder / name).read_text())
    assert list(lint(folder, ROOT)) == []


HOLES = [
    pytest.param("common-account", ACCOUNT, "", "pam-account", id="no-account-line"),
    pytest.param("common-auth", AUTH, "", "pam-auth", id="no-auth-line"),
    pytest.param(
        "sshd",
        "@include common-account",
        "account required pam_unix.so",
        "pam-account",
        id="a-service-with-its-own-account-stack",
    ),
    pytest.param(
        "common-auth",
        AUTH,
        "auth sufficient pam_unix.so\n" + AUTH,
        "pam-auth-order",
        id="a-local-password-first",
    ),
    pytest.param(
        "common-account",
        ACCOUNT,
        "account sufficient pam_localuser.so\n" + ACCOUNT,
        "pam-account-order",
        id="local-users-first",
    ),
    pytest.param(
        "common-account",
        ACCOUNT,
        ACCOUNT.replace("default=die", "default=ignore"),
        "pam-account-control",
        id="refusals-ignored",
    ),
    pytest.param(
        "common-account",
        ACCOUNT,
        "account optional pam_loginward.so\n",
        "pam-account-control",
        id="optional",
    ),
    pytest.param(
        "common-auth",
        AUTH,
        AUTH.replace("default=die", "default=die perm_denied=1"),
        "pam-auth-control",
        id="a-refusal-that-jumps",
    ),
    pytest.param(
        "common-account",
        "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so\naccount\trequisite\t\t\tpam_deny.so\n",
        "",
        "pam-user-unknown",
        id="unknown-users-fall-through-to-permit",
    ),
    pytest.param(
        "common-auth",
        AUTH,
        AUTH.replace("user_unknown=ignore", "user_unknown=done"),
        "pam-user-unknown",
        id="unknown-users-let-in",
    ),
    pytest.param(
        "common-auth",
        AUTH,
        "auth required pam_faillock.so preauth\n" + AUTH,
        "pam-faillock",
        id="two-counters",
    ),
    pytest.param(
        "common-auth",
        "pam_loginward.so ignore_unavailable",
        "pam_loginward.so exempt=ann ignore_unavailable",
        "pam-exempt",
        id="exempts-more-than-we-know",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "check"), HOLES)
def test_each_hole_is_found(tmp_path: Path, file: str, old: str, new: str, check: str) -> None:
    """R63: the shipped-stack holes of linux-pam.md section 6, item 12."""
    folder = Path(shutil.copytree(SAMPLES / "debian12-loginward", tmp_path / "pam.d"))
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    found = list(lint(folder, ROOT))
    assert {one.check for one in found} == {check}
    assert all(one.hint for one in found)


def test_an_exempt_list_that_the_module_lacks_is_found() -> None:
    found = list(lint(SAMPLES / "debian12-loginward", frozenset({"root", "rescue"})))
    assert {one.check for one in found} == {"pam-exempt"}


def test_includes_are_followed_and_loops_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("auth include b\nauth \\\n required pam_x.so one two\n")
    (tmp_path / "b").write_text("@include a\n-auth [success=1 default=ignore] /lib/pam_y.so\n")
    assert {line.module for line in stack(tmp_path, "a", "auth")} == {"pam_x.so", "pam_y.so"}
    (line,) = stack(tmp_path, "a", "auth", 8)
    assert line.arguments == ("one", "two")
