"""How the types of the admin socket are spelt on the wire."""


def request_tag(name: str) -> str:
    """Return the tag of a request: AskHealth is ask-health."""
    return _kebab(name)


def row_tag(name: str) -> str:
    """Return the tag of a row: LineProblemRow is line-problem."""
    return _kebab(name.removesuffix("Row"))


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
