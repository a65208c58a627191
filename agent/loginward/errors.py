"""What can go wrong that is a fault, as against a refused login, which is a value.

`ConfigError` is the operator's, `ProtocolError` the peer's, `DirectoryUnavailable` and
`StoreFault` a dependency's; anything else is a fault of ours.
"""

from __future__ import annotations


class LoginwardError(Exception):
    """Every fault of ours is one of these; no message ever holds a secret."""


class ConfigError(LoginwardError):
    """The configuration cannot be used.

    Attributes:
        path: Dotted, as in the file: "doors.radius.clients[2].secret_file".
        problem: What is wrong and what is expected instead.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class ProtocolError(LoginwardError):
    """A peer broke the protocol: drop it and count; the message holds no octets of the peer's."""


class DirectoryUnavailable(LoginwardError):  # noqa: N818  it is a state of the world, not a bug
    """The directory gave no answer; never counts towards a lock.

    Attributes:
        stage: The step or option that failed, such as "connect" or "directory.budget_s".
        detail: What the operating system or the library said, for the log.
    """

    def __init__(self, stage: str, detail: str = "") -> None:
        super().__init__(f"{stage}: {detail}" if detail else stage)
        self.stage = stage
        self.detail = detail


class StoreFault(LoginwardError):  # noqa: N818  it is a state of the world, not a bug
    """The local store or the embedded directory cannot be used as it is.

    Attributes:
        problem: What is wrong, naming the file.
        remedy: What an administrator can do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy
