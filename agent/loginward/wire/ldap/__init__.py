"""LDAP as far as checking and changing passwords goes, without any I/O."""

from loginward.wire.ldap.framing import Framer
from loginward.wire.ldap.messages import (
    BindResponse,
    Control,
    ExtendedResponse,
    Message,
    Result,
    bind_request,
    parse,
    password_modify_request,
    start_tls_request,
    unbind_request,
)

__all__ = [
    "BindResponse",
    "Control",
    "ExtendedResponse",
    "Framer",
    "Message",
    "Result",
    "bind_request",
    "parse",
    "password_modify_request",
    "start_tls_request",
    "unbind_request",
]
