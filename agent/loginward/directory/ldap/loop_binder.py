"""Checks passwords by bind from an event loop: many at once, and nothing on the loop waits.

The rules are those of `binder`: connections on which nothing but binds is ever done, one bind at a
time on each, destroyed on any irregularity, and a bind that was sent is never sent again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.core.evidence import Checked, NoVerdict
from loginward.directory.ldap import verdict
from loginward.directory.ldap.binder import IDLE_S, NOT_LOOKED, NOT_VERDICTS, Kept
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire import ldap
from loginward.wire.ldap import ppolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.ldap.dialling import Dialler
    from loginward.directory.ldap.held import Held
    from loginward.directory.ldap.remembered import Remembered
    from loginward.directory.ldap.servers import Server, Servers
    from loginward.directory.port import Loop

MOST_OPEN: Final = 8  # more bring nothing: the loop itself is the limit
_SWEEP_S: Final = 0.05
_CONFIRM_S: Final = 1.0  # how often it is noted that a server works
_CHUNK: Final = 16384


@dataclass(slots=True, eq=False)
class _Bind:
    """One bind that is owed an answer."""

    dn: str
    password: Secret
    deadline: Deadline
    told: Callable[[Checked], None]
    takes_over: Callable[[Checked, Kept], bool]
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Line:
    """One connection and the bind that is in flight on it."""

    server: Server
    kept: Kept
    framer: ldap.Framer = field(default_factory=ldap.Framer)
    bind: _Bind | None = None
    began: float = 0.0
    confirmed_at: float = float("-inf")


class LoopBinder:
    """Binds as people; used by the loop's thread alone.

    Args:
        offload: Has something done by a thread that may wait.
    """

    def __init__(
        self,
        servers: Servers,
        dialler: Dialler,
        loop: Loop,
        offload: Callable[[Callable[[], None]], object],
    ) -> None:
        self._servers = servers
        self._dialler = dialler
        self._loop = loop
        self._offload = offload
        self._idle: list[_Line] = []
        self._busy: set[_Line] = set()
        self._waiting: deque[_Bind] = deque()
        self._opening = 0
        self._is_sweeping = False

    def bind(
        self,
        dn: str,
        password: Secret,
        deadline: Deadline,
        told: Callable[[Checked], None],
        takes_over: Callable[[Checked, Kept], bool],
    ) -> None:
        """Bind once, at the first server that looks at it.

        Args:
            told: Called once with what it showed; NoVerdict where nothing answered in time.
            takes_over: As for `Binder.bind`.
        """
        self._waiting.append(_Bind(dn, password, deadline, told, takes_over))
        self._go_on()

    def close(self) -> None:
        """Close every connection; what waits is told that nothing answered."""
        for line in (*self._idle, *self._busy):
            self._close(line)
        self._idle.clear()
        self._fail_waiting("closed")

    def _go_on(self) -> None:
        """Send what waits on what is idle, and open more where that is not enough."""
        while self._waiting and self._idle:
            self._send(self._idle.pop(), self._waiting.popleft())
        open_ = len(self._busy) + self._opening
        if len(self._waiting) > self._opening and open_ < MOST_OPEN:
            self._open(self._waiting[0].deadline)
        if (self._busy or self._waiting) and not self._is_sweeping:
            self._is_sweeping = True
            self._loop.at(self._now() + _SWEEP_S, self._sweep)

    def _send(self, line: _Line, bind: _Bind) -> None:
        now = self._now()
        if now - line.kept.used_at > IDLE_S:  # it may be dead without a word: firewalls forget
            self._close(line)
            self._waiting.appendleft(bind)
            return
        kept = line.kept
        kept.last_id += 1
        line.bind, line.began = bind, now
        self._busy.add(line)
        octets = ldap.bind_request(
            kept.last_id, bind.dn, bind.password.reveal(), (ppolicy.REQUEST,)
        )
        if not kept.channel.send_at_once(octets):
            self._break(line, DirectoryUnavailable("bind", "the connection takes nothing"))

    def _read(self, line: _Line) -> None:
        try:
            octets = line.kept.channel.receive_at_once(_CHUNK)
            if octets is None:
                return
            answer = self._answer(line, octets)
        except (ProtocolError, OSError) as error:
            said = str(error) if isinstance(error, ProtocolError) else type(error).__name__
            self._break(line, DirectoryUnavailable("bind", said))
            return
        if answer is not None:
            self._take(line, answer)

    def _answer(self, line: _Line, octets: bytes) -> ldap.Message | None:
        """Return the answer to the bind in flight once it is whole.

        Raises:
            ProtocolError: It is something else, or the server closed.
        """
        if not octets:
            raise ProtocolError("the server closed the connection")
        found = line.framer.feed(octets)
        if not found and line.bind is not None:
            return None
        if line.bind is None or len(found) != 1 or line.framer.spare:
            raise ProtocolError("the server said more than it was asked")
        answer = ldap.parse(found[0])
        if answer.message_id != line.kept.last_id or not isinstance(
            answer.operation, ldap.BindResponse
        ):
            raise ProtocolError("the answer is not to what was asked")
        return answer

    def _take(self, line: _Line, answer: ldap.Message) -> None:
        bind, line.bind = line.bind, None
        assert bind is not None
        self._busy.discard(line)
        code = answer.operation.result.code
        if code in NOT_LOOKED:
            self._close(line)
            self._servers.failed(
                line.server, DirectoryUnavailable("bind", f"result {code}"), line.began
            )
            self._try_elsewhere(bind, code)
            return
        now = self._now()
        line.kept.used_at = now
        if now - line.confirmed_at > _CONFIRM_S:
            line.confirmed_at = now
            self._servers.answered(line.server)
        checked = verdict.checked(answer)
        if bind.takes_over(checked, line.kept):
            self._loop.unwatch(line.kept.channel)
        elif code in NOT_VERDICTS:
            self._close(line)
        else:
            self._idle.append(line)
        self._go_on()
        bind.told(checked)

    def _try_elsewhere(self, bind: _Bind, code: int) -> None:
        """Ask the next server: this one said that it is busy instead of looking."""
        bind.tries += 1
        if bind.tries < len(self._servers.all):
            self._waiting.appendleft(bind)
            self._go_on()
            return
        self._go_on()
        bind.told(NoVerdict(f"bind: result {code}"))

    def _break(self, line: _Line, problem: DirectoryUnavailable) -> None:
        """Destroy a connection; a bind on it may have been looked at and is not sent again."""
        bind, line.bind = line.bind, None
        self._busy.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        self._close(line)
        if bind is None:
            return  # a server may close what is idle
        self._servers.failed(line.server, problem, line.began)
        for other in [one for one in self._idle if one.server is line.server]:
            self._idle.remove(other)  # what broke one may have broken all
            self._close(other)
        self._go_on()
        bind.told(NoVerdict(problem.stage))

    def _open(self, deadline: Deadline) -> None:
        self._opening += 1

        def dial() -> None:
            try:
                opened = self._dialled(deadline)
            except DirectoryUnavailable as problem:
                stage = problem.stage
                self._loop.post(lambda: self._not_opened(stage))
            else:
                self._loop.post(lambda: self._opened(*opened))

        self._offload(dial)

    def _dialled(self, deadline: Deadline) -> tuple[Server, Kept]:
        """Return a new connection to the first server that takes one; on a thread.

        Raises:
            DirectoryUnavailable: None does.
        """
        last: DirectoryUnavailable | None = None
        for server, left in self._servers.usable():
            began = self._now()
            try:
                channel = self._dialler.dial(server, deadline.sooner(deadline.left / left))
            except DirectoryUnavailable as problem:
                self._servers.failed(server, problem, began)
                last = problem
                continue
            self._servers.answered(server)
            return server, Kept(channel, used_at=self._now())
        assert last is not None
        raise last

    def _opened(self, server: Server, kept: Kept) -> None:
        self._opening -= 1
        line = _Line(server, kept)
        self._loop.watch(kept.channel, lambda: self._read(line))
        self._idle.append(line)
        self._go_on()

    def _not_opened(self, stage: str) -> None:
        self._opening -= 1
        if not self._busy and not self._opening and not self._idle:
            self._fail_waiting(stage)

    def _fail_waiting(self, stage: str) -> None:
        waiting, self._waiting = self._waiting, deque()
        for bind in waiting:
            bind.told(NoVerdict(stage))

    def _sweep(self) -> None:
        """End what is out of time."""
        self._is_sweeping = False
        for line in [one for one in self._busy if one.bind and one.bind.deadline.passed]:
            problem = DirectoryUnavailable("directory.budget_s", "bind: no answer in time")
            self._break(line, problem)
        late = [bind for bind in self._waiting if bind.deadline.passed]
        for bind in late:
            self._waiting.remove(bind)
        self._go_on()
        for bind in late:
            bind.told(NoVerdict("directory.budget_s"))

    def _close(self, line: _Line) -> None:
        self._loop.unwatch(line.kept.channel)
        line.kept.channel.close()

    def _now(self) -> float:
        return self._servers.clock.monotonic()


class LoopChecks:
    """Checks passwords of accounts, as `LdapDirectory.check` does, without waiting."""

    def __init__(self, binder: LoopBinder, held: Held, remembered: Remembered) -> None:
        self._binder = binder
        self._held = held
        self._remembered = remembered

    def check(
        self,
        account: AccountFacts,
        password: Secret,
        deadline: Deadline,
        told: Callable[[Checked], None],
    ) -> None:
        """Check a password with one bind; `told` gets what it showed, once."""
        if not account.ref.strip() or not password.well_formed:
            told(NoVerdict("password"))  # it would bind as nobody, with success
            return

        def noted(checked: Checked) -> None:
            self._remembered.checked(account.account_id, checked)
            told(checked)

        takes_over = self._held.takes_over(account, password)
        self._binder.bind(account.ref, password, deadline, noted, takes_over)

    def close(self) -> None:
        """Close every connection."""
        self._binder.close()
