"""Write what is made from the types: the annotated file, the reference, the manual page.

With --check nothing is written; a file that is out of date is named and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

TOP = Path(__file__).parents[1]
sys.path.insert(0, str(TOP / "agent"))

from loginward.config import example_text, to_plain  # noqa: E402
from loginward.config.hints import choices_of, is_optional, origin_of, without_none  # noqa: E402
from loginward.settings import Field, Section, Settings, fields_of  # noqa: E402

KINDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"} | {
    "Path": "absolute path",
    "datetime": "date or time",
}
HEAD = """# Configuration

`/etc/loginward/loginward.yaml`, made from the types by `tools/generate.py`; do not edit here.

`loginward config check FILE` names every problem with file, line, dotted path and what is expected;
`loginward config show` prints what is in force, `loginward config example` an annotated file.
Unknown keys are refused. Names end in their unit: `_s` seconds, `_d` days. `null` means never or
none; 0 is never both off and unlimited. Secrets lie in files of their own (`*_file`): one line,
owned by root or the user of the agent, mode 0600, no symbolic link. A file that cannot be used ends
the daemon with exit code 78; on a reload (`loginward config reload`, SIGHUP) it changes nothing.
A reload takes all keys into force at once, but for those that need a restart: they keep their old
value, and are named.
"""


def main() -> int:
    """Write or check every file."""
    made = {
        TOP / "config/loginward.yaml": example_text(),
        TOP / "docs/configuration.md": reference(),
        TOP / "docs/man/loginward.yaml.5": manual(),
    }
    stale = [p for p, text in made.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(TOP)} is out of date: run tools/generate.py")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path])
    return 0


def reference() -> str:
    """Return the configuration reference."""
    return HEAD + "\n".join(_section(Settings, "", "The top of the file"))


MANUAL_HEAD = r"""'\" t
.TH LOGINWARD.YAML 5
.SH NAME
loginward.yaml \- configuration of loginward
.SH DESCRIPTION
.I /etc/loginward/loginward.yaml
is YAML. Unknown keys are refused; names end in their unit: _s seconds, _d days;
.B null
means never or none. Secrets lie in files of their own
.RB ( *_file ):
one line, owned by root or the user of the agent, mode 0600.
.PP
.B loginward config check
names every problem,
.B loginward config show
prints what is in force.
.SH KEYS"""
MANUAL_TAIL = """.SH SEE ALSO
.BR loginward (1),
.BR pam_loginward (8)
"""


def manual() -> str:
    """Return the manual page of the configuration."""
    return "\n".join([MANUAL_HEAD, *_manual_keys(Settings, ""), MANUAL_TAIL])


def _manual_keys(kind: type[Section], path: str) -> list[str]:
    lines = []
    for field in fields_of(kind):
        inner, suffix = _inner_section(field.type)
        if inner is not None:
            lines += _manual_keys(inner, _join(path, field.name) + suffix)
            continue
        default = _default(field).strip("`")
        said = _sentence(field.key.meaning)
        if field.key.null:
            said += f" null: {field.key.null}."
        if field.key.needs_restart:
            said += " Needs a restart."
        if field.key.opens:
            said += " Needs a restart to be there or not."
        lines += [".TP", f".B {_roff(_join(path, field.name))}"]
        lines += [_roff(said), ".br", _roff(f"{_kind(field)}; default {default}".replace("`", ""))]
    return lines


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def _section(kind: type[Section], path: str, title: str) -> list[str]:
    lines = ["", f"## {f'`{path}`' if path else title}", ""]
    if path:
        lines += [_sentence(title), ""]
    lines += ["| key | what it holds | default | meaning |", "|---|---|---|---|"]
    lines += [_row(field) for field in fields_of(kind)]
    for field in fields_of(kind):
        inner, suffix = _inner_section(field.type)
        if inner is not None:
            lines += _section(inner, _join(path, field.name) + suffix, _title(inner))
    return lines


def _row(field: Field) -> str:
    meaning = _sentence(field.key.meaning)
    if field.key.null:
        meaning += f" `null`: {field.key.null}."
    if field.key.example:
        meaning += f" E.g. `{field.key.example}`."
    if field.key.needs_restart:
        meaning += " *Needs a restart.*"
    if field.key.opens:
        meaning += " *Needs a restart to be there or not.*"
    return f"| `{field.name}` | {_kind(field)} | {_default(field)} | {_escape(meaning)} |"


def _kind(field: Field) -> str:
    kind, said = field.type, []
    if is_optional(kind):
        kind, said = without_none(kind), [" or null"]
    bounds = _bounds(field)
    if origin_of(kind) is tuple:
        (first, *_) = get_args(kind)
        return f"list of {_name(first)}{bounds}"
    return _name(kind) + bounds + "".join(said)


def _name(kind: Any) -> str:
    if choices := choices_of(kind):
        return ", ".join(f"`{choice}`" for choice in choices)
    if isinstance(kind, type) and issubclass(kind, Section):
        return "keys below"
    if isinstance(kind, type):
        return KINDS[kind.__name__]
    return "names with values"


def _bounds(field: Field) -> str:
    low, high = field.key.at_least, field.key.at_most
    if low is None and high is None:
        return ""
    if high is None:
        return f", at least {low:g}"
    return f", {low or 0:g} to {high:g}"


def _default(field: Field) -> str:
    if field.is_required:
        return "must be given"
    if isinstance(field.default, Section):
        return ""
    plain = to_plain(field.default)
    if plain is None:
        return "`null`"
    if isinstance(plain, bool):
        return f"`{str(plain).lower()}`"
    if isinstance(plain, list):
        return f"`[{', '.join(plain)}]`"
    if isinstance(plain, dict):
        return "`{" + ", ".join(f"{k}: [{', '.join(v)}]" for k, v in plain.items()) + "}`"
    return f"`{plain}`"


def _inner_section(kind: Any) -> tuple[type[Section] | None, str]:
    suffix = ""
    if is_optional(kind):
        kind = without_none(kind)
    if origin_of(kind) is tuple:
        kind, suffix = get_args(kind)[0], "[]"
    found = kind if isinstance(kind, type) and issubclass(kind, Section) else None
    return found, suffix


def _title(kind: type[Section]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
