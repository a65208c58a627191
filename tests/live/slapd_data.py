"""The accounts and policies of the OpenLDAP of the tests: one account for each status."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

SUFFIX = "dc=ex,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
POLICIES = f"ou=policies,{SUFFIX}"
DEFAULT_POLICY = f"cn=default,{POLICIES}"
PASSWORD = "Passw0rd!x"
MAX_FAILURES = 3
LOCK_S = 900

_FRAME = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: ex
o: ex

""" + "".join(
    f"dn: ou={ou},{SUFFIX}\nobjectClass: organizationalUnit\nou: {ou}\n\n"
    for ou in ("people", "svc", "groups", "policies")
)
_AGING = {"pwdMaxAge": 7776000, "pwdExpireWarning": 1209600, "pwdMustChange": "TRUE"}
_LOCKING = {"pwdMaxFailure": MAX_FAILURES, "pwdLockout": "TRUE"}
_POLICIES = {
    "default": {
        **_AGING,
        **_LOCKING,
        "pwdLockoutDuration": LOCK_S,
        "pwdFailureCountInterval": 600,
        "pwdGraceAuthnLimit": 0,
        "pwdMinLength": 8,
        "pwdCheckQuality": 1,
        "pwdInHistory": 3,
    },
    "grace": {**_AGING, **_LOCKING, "pwdLockoutDuration": LOCK_S, "pwdGraceAuthnLimit": 3},
    "idle": {**_LOCKING, "pwdMaxIdle": 86400},
    "none": {},
}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%SZ")


def ssha(password: str) -> str:
    salt = b"saltsalt"
    digest = hashlib.sha1(password.encode() + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def people(now: datetime) -> dict[str, dict[str, object]]:
    """Return what is particular of each account; `password: None` is one never set."""
    fresh = {"pwdChangedTime": stamp(now)}
    old = {"pwdChangedTime": stamp(now - timedelta(days=100))}
    day = int(now.timestamp()) // 86400
    none, grace, idle = (
        {"pwdPolicySubentry": f"cn={name},{POLICIES}"} for name in ("none", "grace", "idle")
    )
    failures = [
        (now - timedelta(seconds=62 - n)).strftime("%Y%m%d%H%M%S") + f".00000{n}Z" for n in range(3)
    ]
    locked_at = stamp(now - timedelta(minutes=1))
    return {
        "active": fresh,
        "pending": {"password": None},
        "expired": old,
        "mustchange": {**fresh, "pwdReset": "TRUE"},
        "locked": {**fresh, "pwdAccountLockedTime": locked_at, "pwdFailureTime": failures},
        "lockedold": {**fresh, "pwdAccountLockedTime": stamp(now - timedelta(hours=2))},
        "lockperm": {**fresh, "pwdAccountLockedTime": "000001010000Z"},
        "explock": {**old, "pwdAccountLockedTime": "000001010000Z"},
        "grace": {**old, **grace},
        "warning": {"pwdChangedTime": stamp(now - timedelta(days=85))},
        "notyet": {**fresh, "pwdStartTime": stamp(now + timedelta(days=10))},
        "ended": {**fresh, "pwdEndTime": stamp(now - timedelta(days=10))},
        "idle": {**fresh, **idle, "pwdLastSuccess": stamp(now - timedelta(days=40))},
        "shadowexp": {**none, "shadowExpire": day - 5},
        "shadowmax": {**none, "shadowLastChange": day - 200, "shadowMax": 90, "shadowWarning": 7},
        "nochanged": {},
        "passthrough": {**fresh, "password": "{SASL}passthrough@EX.ORG"},
        **dict.fromkeys(("tolock", "towrong", "tochange", "tochange2", "toadmin"), fresh),
        "toexpire": fresh,
        "tosuspend": fresh,
        "tounlock": {**fresh, "pwdAccountLockedTime": locked_at, "pwdFailureTime": failures},
        "star*": fresh,
        "Zoë Ω": fresh,
    }


def ldif(bulk: int) -> str:
    """Return the whole directory as LDIF."""
    now = datetime.now(UTC)
    entries = [_FRAME]
    for name, values in _POLICIES.items():
        entries.append(
            _entry(
                f"cn={name},{POLICIES}",
                {
                    "objectClass": ["device", "pwdPolicy"],
                    "cn": name,
                    "pwdAttribute": "userPassword",
                    **values,
                },
            )
        )
    entries += [
        _entry(
            f"uid={name},ou=svc,{SUFFIX}",
            {
                "objectClass": ["account", "simpleSecurityObject"],
                "uid": name,
                "userPassword": ssha(PASSWORD),
                "pwdPolicySubentry": f"cn=none,{POLICIES}",
            },
        )
        for name in ("svc-ro", "svc-rw")
    ]
    everyone = people(now) | {f"bulk{n}": {} for n in range(bulk)}
    entries += _persons(everyone)
    members = [f"uid={name},{PEOPLE}" for name in ("active", "expired")]
    entries.append(
        _entry(
            f"cn=staff,ou=groups,{SUFFIX}",
            {"objectClass": "groupOfNames", "cn": "staff", "member": members},
        )
    )
    return "".join(entries)


def _persons(everyone: dict[str, dict[str, object]]) -> Iterator[str]:
    for number, (name, given) in enumerate(everyone.items(), start=2000):
        particular = dict(given)
        password = particular.pop("password", ssha(PASSWORD))
        common: dict[str, object] = {
            "objectClass": ["inetOrgPerson", "posixAccount", "shadowAccount"],
            "uid": name,
            "cn": f"{name} Test",
            "sn": "Test",
            "uidNumber": number,
            "gidNumber": 100,
            "homeDirectory": "/home/x",
        }
        if password is not None:
            common["userPassword"] = password
        yield _entry(f"uid={name},{PEOPLE}", common | particular)


def _entry(dn: str, attributes: dict[str, object]) -> str:
    lines = [_line("dn", dn)]
    for name, values in attributes.items():
        lines += [_line(name, str(v)) for v in (values if isinstance(values, list) else [values])]
    return "\n".join(lines) + "\n\n"


def _line(name: str, value: str) -> str:
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"
