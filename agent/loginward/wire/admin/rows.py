"""All that the admin socket answers, in one place for whoever writes or reads an answer."""

from loginward.wire.admin.account_rows import (
    AccountRow,
    ActivationRow,
    ActRow,
    CutRow,
    ExplanationRow,
    StepRow,
    StepState,
    UserRow,
)
from loginward.wire.admin.copy_rows import ClearedRow, CopyRow, ForgottenRow
from loginward.wire.admin.daemon_rows import (
    ClockRow,
    FindingRow,
    HealthRow,
    Level,
    MetricsRow,
    ReloadedRow,
)
from loginward.wire.admin.event_rows import LOCKED_FROM, EventRow
from loginward.wire.admin.parts import (
    EndedLockPart,
    FactPart,
    LockPart,
    NotePart,
    RefusalPart,
    ServerPart,
    SessionPart,
    StatusPart,
    status_part,
)
from loginward.wire.admin.radius_rows import (
    AttributePart,
    RadiusExplanationRow,
    RadiusSessionRow,
)
from loginward.wire.admin.row import BeganRow, EndRow, FailedRow, Problem, Row
from loginward.wire.admin.transfer_rows import (
    FileFormat,
    ImportedRow,
    LineProblemRow,
    PieceRow,
    ProgressRow,
)

AnyRow = (
    HealthRow
    | MetricsRow
    | UserRow
    | CutRow
    | AccountRow
    | ExplanationRow
    | ActRow
    | ActivationRow
    | ProgressRow
    | ImportedRow
    | LineProblemRow
    | PieceRow
    | CopyRow
    | ForgottenRow
    | ClearedRow
    | RadiusSessionRow
    | RadiusExplanationRow
    | StepRow
    | EventRow
    | FindingRow
    | ReloadedRow
    | ClockRow
    | BeganRow
    | FailedRow
    | EndRow
)

__all__ = [
    "LOCKED_FROM",
    "AccountRow",
    "ActRow",
    "ActivationRow",
    "AnyRow",
    "AttributePart",
    "BeganRow",
    "ClearedRow",
    "ClockRow",
    "CopyRow",
    "CutRow",
    "EndRow",
    "EndedLockPart",
    "EventRow",
    "ExplanationRow",
    "FactPart",
    "FailedRow",
    "FileFormat",
    "FindingRow",
    "ForgottenRow",
    "HealthRow",
    "ImportedRow",
    "Level",
    "LineProblemRow",
    "LockPart",
    "MetricsRow",
    "NotePart",
    "PieceRow",
    "Problem",
    "ProgressRow",
    "RadiusExplanationRow",
    "RadiusSessionRow",
    "RefusalPart",
    "ReloadedRow",
    "Row",
    "ServerPart",
    "SessionPart",
    "StatusPart",
    "StepRow",
    "StepState",
    "UserRow",
    "status_part",
]
