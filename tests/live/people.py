"""The accounts of the live OpenLDAP servers, each in one condition, as LDIF for slapadd(8).

Source: slapo-ppolicy(5), draft-behera-ldap-password-policy-11, shadow(5).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1

SUFFIX = "dc=ex,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
POLICIES = f"ou=policies,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
SERVICES = f"ou=svc,{SUFFIX}"
DEFAULT_POLICY = f"cn=default,{POLICIES}"
ROOT_DN = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "rootpw"
SVC_RO = f"uid=svc-ro,{SERVICES}"  # reads everything but the hash, may compare with it
SVC_RW = f"uid=svc-rw,{SERVICES}"  # may manage: needed for relax and to count as administrator
SVC_WRITE = f"uid=svc-write,{SERVICES}"  # may write, but not manage
SVC_BLIND = f"uid=svc-blind,{SERVICES}"  # reads people, but none of their status
PASSWORD = "Passw0rd!x"
MAX_FAILURE = 3
LOCKOUT_S = 900

OLD = timedelta(days=-100)
NONE = f"pwdPolicySubentry: cn=none,{POLICIES}"
SKELETON = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: ex
o: ex

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {SERVICES}
objectClass: organizationalUnit
ou: svc

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {POLICIES}
objectClass: organizationalUnit
ou: policies

"""
GROUP = f"""\
dn: cn=staff,{GROUPS}
objectClass: groupOfNames
cn: staff
member: uid=active,{PEOPLE}
member: uid=expired,{PEOPLE}

dn: cn=vpn,{GROUPS}
objectClass: posixGroup
cn: vpn
gidNumber: 5000
memberUid: active

"""
AGEING = ("pwdMaxAge: 7776000", "pwdExpireWarning: 1209600")
LOCKING = (f"pwdMaxFailure: {MAX_FAILURE}", "pwdLockout: TRUE", f"pwdLockoutDuration: {LOCKOUT_S}")
POLICY = {
    "default": (
        *AGEING,
        *LOCKING,
        "pwdFailureCountInterval: 600",
        "pwdGraceAuthnLimit: 0",
        "pwdMustChange: TRUE",
        "pwdMinLength: 8",
        "pwdCheckQuality: 1",
        "pwdInHistory: 3",
    ),
    "grace": (
        *AGEING,
        *LOCKING,
        "pwdGraceAuthnLimit: 3",
        "pwdMustChange: TRUE",
        "pwdMinLength: 8",
        "pwdCheckQuality: 1",
    ),
    "idle": ("pwdMaxIdle: 86400", "pwdLockout: TRUE", "pwdMaxFailure: 3"),
    "forgood": ("pwdLockout: TRUE", "pwdMaxFailure: 2"),  # no duration: until an admin unlocks
    "none": (),
    "young": ("pwdMinAge: 86400",),
}


@dataclass(frozen=True)
class Person:
    """One account: `lines` are its attributes beyond the common ones."""

    uid: str
    lines: tuple[str, ...] = ()
    password: str | None = PASSWORD
    needs_ppolicy: bool = field(init=False)

    def __post_init__(self) -> None:
        needs = any(line.startswith("pwd") for line in self.lines)
        object.__setattr__(self, "needs_ppolicy", needs)


def gtime(moment: datetime) -> str:
    """Return a generalizedTime in UTC, whole seconds."""
    return f"{moment:%Y%m%d%H%M%SZ}"


def days(moment: datetime) -> int:
    """Return the days since 1970 that shadow(5) counts in."""
    return int(moment.timestamp()) // 86400


def matrix(now: datetime) -> tuple[Person, ...]:
    """Return every condition that an account can be in, as of `now`."""

    def at(**ago: float) -> str:
        return gtime(now + timedelta(**ago))

    changed = f"pwdChangedTime: {gtime(now - timedelta(hours=3))}"
    old = f"pwdChangedTime: {gtime(now + OLD)}"
    grace = f"pwdPolicySubentry: cn=grace,{POLICIES}"
    failures = tuple(
        f"pwdFailureTime: {now - timedelta(seconds=60 + n):%Y%m%d%H%M%S}.{n:06}Z"
        for n in range(MAX_FAILURE)
    )
    never = "pwdAccountLockedTime: 000001010000Z"
    return (
        Person("active", (changed,)),
        Person("pending", (), password=None),
        Person("expired", (old,)),
        Person("mustchange", (changed, "pwdReset: TRUE")),
        Person("locked", (changed, f"pwdAccountLockedTime: {at(minutes=-1)}", *failures)),
        Person("lockedold", (changed, f"pwdAccountLockedTime: {at(hours=-2)}")),
        Person("lockperm", (changed, never)),
        Person("explock", (old, never)),
        Person(
            "forgood",
            (
                changed,
                f"pwdAccountLockedTime: {at(days=-9)}",
                f"pwdPolicySubentry: cn=forgood,{POLICIES}",
            ),
        ),
        Person("nolock", (changed, f"pwdAccountLockedTime: {at(minutes=-1)}", NONE)),
        Person("grace", (old, grace)),
        Person(
            "graceless",
            (
                old,
                grace,
                *(f"pwdGraceUseTime: {at(hours=-n)}" for n in (1, 2, 3)),
            ),
        ),
        Person("warning", (f"pwdChangedTime: {at(days=-85)}",)),
        Person("notyet", (changed, f"pwdStartTime: {at(days=10)}")),
        Person("ended", (changed, f"pwdEndTime: {at(days=-10)}")),
        Person("ending", (changed, f"pwdEndTime: {at(days=10)}")),
        Person(
            "backwards", (changed, f"pwdStartTime: {at(days=-5)}", f"pwdEndTime: {at(days=-6)}")
        ),
        Person(
            "idle",
            (
                changed,
                f"pwdLastSuccess: {at(days=-40)}",
                f"pwdPolicySubentry: cn=idle,{POLICIES}",
            ),
        ),
        Person("shadowexp", (NONE, f"shadowExpire: {days(now) - 5}")),
        Person(
            "shadowmax",
            (
                NONE,
                f"shadowLastChange: {days(now) - 200}",
                "shadowMax: 90",
                "shadowWarning: 7",
            ),
        ),
        Person("resetfree", (changed, "pwdReset: TRUE", NONE)),
        Person("nochanged"),
        Person(
            "young",
            (f"pwdChangedTime: {at(minutes=-1)}", f"pwdPolicySubentry: cn=young,{POLICIES}"),
        ),
    )


def plain_matrix(now: datetime) -> tuple[Person, ...]:
    """Return the conditions that a server without a password policy can hold."""
    return (
        Person("active"),
        Person("pending", (), password=None),
        Person("shadowexp", (f"shadowExpire: {days(now) - 5}",)),
        Person("shadowmax", (f"shadowLastChange: {days(now) - 200}", "shadowMax: 90")),
    )


def ldif(people: tuple[Person, ...], *, ppolicy: bool) -> Iterator[str]:
    """Yield the whole directory: skeleton, policies, accounts of services, people, groups."""
    yield SKELETON
    if ppolicy:
        for name, lines in POLICY.items():
            head = (
                f"dn: cn={name},{POLICIES}",
                "objectClass: device",
                "objectClass: pwdPolicy",
                f"cn: {name}",
                "pwdAttribute: userPassword",
            )
            yield "\n".join((*head, *lines)) + "\n\n"
    for uid in ("svc-ro", "svc-rw", "svc-write", "svc-blind"):
        policy = f"{NONE}\n" if ppolicy else ""
        yield (
            f"dn: uid={uid},{SERVICES}\nobjectClass: account\nobjectClass: simpleSecurityObject\n"
            f"uid: {uid}\nuserPassword: {hashed(PASSWORD)}\n{policy}\n"
        )
    for number, person in enumerate(people, 2000):
        yield entry(person, number)
    yield GROUP


def entry(person: Person, number: int) -> str:
    """Return one person's entry."""
    uid = person.uid
    lines = [
        f"dn: uid={uid},{PEOPLE}",
        "objectClass: inetOrgPerson",
        "objectClass: posixAccount",
        "objectClass: shadowAccount",
        f"uid: {uid}",
        f"cn: {uid} Test",
        "sn: Test",
        f"mail: {uid}@ex.org",
        f"uidNumber: {number}",
        "gidNumber: 100",
        f"homeDirectory: /home/{uid}",
        "loginShell: /bin/sh",
    ]
    if person.password is not None:
        lines.append(f"userPassword: {hashed(person.password)}")
    return "\n".join((*lines, *person.lines)) + "\n\n"


def bulk(count: int) -> tuple[Person, ...]:
    """Return many ordinary accounts."""
    changed = f"pwdChangedTime: {gtime(datetime.now(UTC) - timedelta(hours=3))}"
    return tuple(Person(f"bulk{n}", (changed,)) for n in range(count))


def hashed(password: str) -> str:
    """Return a password as {SSHA}, which slapd compares fast."""
    salt = os.urandom(8)
    digest = sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()
