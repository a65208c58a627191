"""Rows that the tests of several commands share; the wall clock stands at 24 Nov 2026, 9:30 in Berlin."""

from __future__ import annotations

from datetime import datetime, timedelta

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.secret import Secret
from loginward.core.status import (
    ExpiryCause,
    LockCause,
    PasswordStatus,
    StateCause,
    UserState,
)
from loginward.wire.admin import rows
from tests.doubles.clock import NOW

ACTIVE, LOCKED = PasswordStatus.ACTIVE, PasswordStatus.LOCKED
EXPIRED, PENDING = PasswordStatus.EXPIRED, PasswordStatus.PENDING


def before(**span: int) -> datetime:
    return NOW - timedelta(**span)


def after(**span: int) -> datetime:
    return NOW + timedelta(**span)


def status(*statuses: PasswordStatus, **more: object) -> rows.StatusPart:
    held = statuses or (ACTIVE,)
    return rows.StatusPart(
        **{"state": UserState.ACTIVE, "headline": held[0], "statuses": held} | more
    )


LOCK = rows.LockPart(
    cause=LockCause.THRESHOLD,
    since=before(minutes=18),
    until=after(minutes=12),
    source="sshd 203.0.113.7",
    failures=5,
)
AGED = {"due_at": before(days=4), "due_cause": ExpiryCause.AGING}
FRANK_BEFORE = status(LOCKED, EXPIRED, lock=LOCK, **AGED)
FRANK_AFTER = status(EXPIRED, **AGED)
TOKEN = Secret(b"K7QM-2F9T-XW3B")

USERS = [
    rows.UserRow(
        name="alice",
        status=status(due_at=after(days=12), due_cause=ExpiryCause.AGING),
    ),
    rows.UserRow(name="bob", status=status(LOCKED, lock=LOCK)),
    rows.UserRow(
        name="carol", status=status(EXPIRED, due_at=before(days=3), due_cause=ExpiryCause.AGING)
    ),
    rows.UserRow(name="dave", status=status(PENDING)),
    rows.UserRow(name="erin", status=status(must_change=True)),
    rows.UserRow(name="frank", status=FRANK_BEFORE),
    rows.UserRow(
        name="gina",
        status=status(
            state=UserState.STAGED, state_cause=StateCause.NOT_STARTED, state_date=after(days=7)
        ),
    ),
    rows.UserRow(
        name="henry",
        status=status(
            state=UserState.SUSPENDED, state_cause=StateCause.BY_ADMIN, state_date=before(days=2)
        ),
    ),
]

WHY_FRANK = rows.ExplanationRow(
    name="frank",
    door=Door.LOGIN,
    service="sshd",
    verdict=Verdict.REFUSE,
    reason=Reason.PASSWORD_EXPIRED,
    reference="7F3K2Q",
    facts=(
        rows.FactPart(fact="state", value="active", source="embedded directory", age_s=0.2),
        rows.FactPart(
            fact="password",
            value="expired",
            detail="changed 2026-08-22T08:00:00Z, max age 90 d -> 2026-11-20T08:00:00Z; cause aging",
            source="embedded directory",
            age_s=0.2,
            evidence="changed_at=2026-08-22T08:00:00Z",
        ),
        rows.FactPart(
            fact="lock",
            value="none",
            source="embedded directory",
            age_s=0.2,
        ),
    ),
    ended_lock=rows.EndedLockPart(lock=LOCK, ended_at=before(seconds=4), by="root", verb="unlock"),
    last_refusal=rows.RefusalPart(
        reference="DHV4MP",
        at=before(minutes=3),
        reason=Reason.ACCOUNT_LOCKED,
        service="sshd",
        source="sshd 203.0.113.7",
    ),
    rule="expired is refused at every door",
    setting="policy.expiry.when_expired: deny",
    clears=("loginward reset-password frank", "the person: passwd"),
    pam_authn="PERM_DENIED",
    pam_acct="ACCT_EXPIRED",
    status=FRANK_AFTER,
)

HEALTH = rows.HealthRow(
    version="0.1.0",
    pid=4242,
    started_at=before(hours=2),
    config_file="/etc/loginward/loginward.yaml",
    login_socket="/run/loginward/login.sock",
    directory="openldap",
    servers=(
        rows.ServerPart(
            name="ldaps://ldap1.example.org", usable=True, last_ok_at=before(seconds=2)
        ),
        rows.ServerPart(
            name="ldaps://ldap2.example.org",
            usable=False,
            last_ok_at=before(minutes=20),
            last_problem="connect: timed out",
        ),
    ),
    lockout_owner="directory",
    reads_status=True,
    watched_at=before(seconds=4),
    watch="push",
    watch_age_s=0.4,
    at_hand=10,
    copies=12,
    verifiers=3,
    conversations=1,
    sessions=(rows.SessionPart(name="ann", service="sshd", since=before(hours=1)),),
)
ACCOUNT = rows.AccountRow(
    name="bob",
    account_id="7d0c",
    status=status(LOCKED, lock=LOCK),
    source="ldaps://ldap1.example.org",
    read_at=before(seconds=1),
    failures=5,
    threshold=5,
    can_sign_in_offline=True,
    groups=("staff", "vpn"),
    sessions=(
        rows.SessionPart(
            name="bob", service="sshd", tty="pts/3", rhost="198.51.100.4", since=before(hours=1)
        ),
    ),
)
EVENTS = [
    rows.EventRow(
        id="1", at=before(minutes=2), event="decision", name="bob", reference="4MX8ZP",
        door="login", phase="authn", service="sshd", source="sshd 203.0.113.7",
        verdict="refuse", reason="account-locked", count=3,
    ),
    rows.EventRow(
        id="2", at=before(minutes=1), event="act", name="bob", verb="unlock", by="root (ann)",
        before="locked", after="active",
    ),
    rows.EventRow(
        id="3", at=before(seconds=1), event="decision", name="bob", reference="B2NXF1",
        door="login", phase="authn", service="login", source="login",
        verdict="allow", reason="ok", after="active",
    ),
]  # fmt: skip
FINDINGS = [
    rows.FindingRow(check="break-glass", level=rows.Level.OK, text="root has a password"),
    rows.FindingRow(
        check="sshd-use-pam",
        level=rows.Level.PROBLEM,
        text="UsePAM is no: keys get in past a lock",
        hint="set UsePAM yes in /etc/ssh/sshd_config.d/",
    ),
]
COPIES = [
    rows.CopyRow(
        name="ann",
        read_at=before(hours=5),
        status=status(),
        usable_until=after(hours=67),
        can_sign_in_offline=True,
    ),
    rows.CopyRow(name="bob", read_at=before(days=4), status=status(LOCKED, lock=LOCK)),
    rows.CopyRow(name="eve", fault="was another account's row"),
]
RADIUS_SESSIONS = [
    rows.RadiusSessionRow(
        client="wifi", name="ann", station="00-11-22-33-44-55", address="10.20.0.7",
        session="5F3A0001", since=before(hours=2), heard_at=before(minutes=4), is_ours=True,
    ),
    rows.RadiusSessionRow(
        client="vpn", name="", address="2001:db8::7", session="81", since=before(days=2),
        heard_at=before(seconds=0), is_ours=False,
    ),
]  # fmt: skip
STEPS = [
    rows.StepRow(
        name="ann", step="faillock", state=rows.StepState.WOULD, text="clear the pam_faillock tally"
    ),
    rows.StepRow(
        name="ann", step="copies", state=rows.StepState.NOT_NEEDED, text="no copy is older"
    ),
]
