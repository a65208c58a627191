"""What may be asked on the admin socket: one type a command, tagged by `ask`.

Secrets travel only in fields of type Secret, whose repr hides them.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from loginward.core.acts import Verb
from loginward.core.names import MAX_CHARACTERS
from loginward.core.requests import Door
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus, UserState
from loginward.wire.admin.rows import FileFormat
from loginward.wire.admin.tags import request_tag

MAX_NAMES = 10_000  # accounts in one bulk act
MAX_FILE_OCTETS = 64 * 1024 * 1024  # of an import

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CHARACTERS)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=MAX_NAMES)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_CHARACTERS)]


class Request(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="ask",
    tag=request_tag,
):
    """One question or order; a connection carries exactly one."""


class AskHealth(Request, frozen=True, kw_only=True):
    """How is the daemon?"""


class AskMetrics(Request, frozen=True, kw_only=True):
    """The counters, as Prometheus text."""


class AskAccount(Request, frozen=True, kw_only=True):
    """What is this account now? Anybody may ask for their own."""

    name: Name


class AskWhy(Request, frozen=True, kw_only=True):
    """What would happen to a login with the right password, and by which rule?

    Attributes:
        service: PAM service, or the RADIUS client's name; empty: a seat, or the only client.
    """

    name: Name
    door: Door = Door.LOGIN
    service: Text = ""


class AskReference(Request, frozen=True, kw_only=True):
    """What was decided under this reference (six characters, upper case, no hyphen)?"""

    reference: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{1,16}$")]


class ListUsers(Request, frozen=True, kw_only=True):
    """Which accounts are there? LOCKED includes accounts that are also expired (R51)."""

    status: PasswordStatus | None = None
    state: UserState | None = None


class AddUser(Request, frozen=True, kw_only=True):
    """Add an account without a password to the embedded directory.

    Attributes:
        starts_at: A scheduled activation (aware); None: none.
        ends_at: A scheduled end (aware); None: none.
    """

    name: Name
    display_name: Text = ""
    mail: Text = ""
    recovery: Text = ""
    groups: tuple[Text, ...] = ()
    state: UserState = UserState.ACTIVE
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class RemoveUsers(Request, frozen=True, kw_only=True):
    """Remove accounts from the embedded directory."""

    names: Names


class ImportUsers(Request, frozen=True, kw_only=True):
    """Take a file of accounts, whole or not at all; its octets follow as Pieces.

    Attributes:
        octets: The length of the file; so many must follow.
    """

    form: FileFormat
    octets: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_OCTETS)]


class ExportUsers(Request, frozen=True, kw_only=True):
    """Give all accounts as a file; with hashes it is a backup, and needs every right."""

    form: FileFormat
    with_hashes: bool = False


class ActOnUsers(Request, frozen=True, kw_only=True):
    """Carry out one verb on every name; each is answered by one ActRow, in order.

    Attributes:
        password: For the verbs that set one; the same for all names.
        force: Also override what the directory's own people set.
    """

    verb: Verb
    names: Names
    password: Secret | None = None
    force: bool = False


class ActivateSelf(Request, frozen=True, kw_only=True):
    """Set the first password of an account of the embedded directory, by its activation token.

    Anybody may ask; one ActivationRow answers.
    """

    name: Name
    token: Secret
    new: Secret


class ListCache(Request, frozen=True, kw_only=True):
    """Which local copies are kept?"""


class ListRadiusSessions(Request, frozen=True, kw_only=True):
    """Who is connected where, by what RADIUS clients account?"""


class ExplainRadius(Request, frozen=True, kw_only=True):
    """What would a RADIUS client be answered about somebody, and given?

    Attributes:
        client: Its name; empty: the only one.
    """

    name: Name
    client: Text = ""


class ForgetCopies(Request, frozen=True, kw_only=True):
    """Forget the local copies of these names; a name forgotten is no longer known here."""

    names: Names


class ClearCache(Request, frozen=True, kw_only=True):
    """Forget every local copy."""


class RunRefresh(Request, frozen=True, kw_only=True):
    """Do what has to happen on this machine after an unlock.

    Attributes:
        name: None: for every account that this machine knows.
        dry_run: Only say what would be done.
    """

    name: Name | None = None
    dry_run: bool = False


class AskEvents(Request, frozen=True, kw_only=True):
    """The audit trail.

    Attributes:
        after: Only what follows the event of this id; empty: from `last` events back.
        last: How many past events to give when `after` is empty.
        name: Only events about this account; empty: all.
        follow: Go on giving events as they happen.
    """

    after: Text = ""
    last: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 20
    name: Text = ""
    follow: bool = False


class AskDoctor(Request, frozen=True, kw_only=True):
    """What is wrong with this installation?"""


class AcceptClock(Request, frozen=True, kw_only=True):
    """Believe the wall clock as it is now."""


class Reload(Request, frozen=True, kw_only=True):
    """Read the configuration again; a bad one leaves the running one in force."""


AnyRequest = (
    AskHealth
    | AskMetrics
    | AskAccount
    | AskWhy
    | AskReference
    | ListUsers
    | AddUser
    | RemoveUsers
    | ImportUsers
    | ExportUsers
    | ActOnUsers
    | ActivateSelf
    | ListCache
    | ListRadiusSessions
    | ExplainRadius
    | ForgetCopies
    | ClearCache
    | RunRefresh
    | AskEvents
    | AskDoctor
    | AcceptClock
    | Reload
)
