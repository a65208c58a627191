"""YAML to settings, strictly: every problem with file, line, dotted path and what is expected."""

from loginward.config.load import DEFAULT_PATH, check_config, load_config, parse_config
from loginward.config.problems import BadConfigFileError, Place, Problem
from loginward.config.render import example_text, render_config, to_plain
from loginward.config.secrets import read_secret

__all__ = [
    "DEFAULT_PATH",
    "BadConfigFileError",
    "Place",
    "Problem",
    "check_config",
    "example_text",
    "load_config",
    "parse_config",
    "read_secret",
    "render_config",
    "to_plain",
]
