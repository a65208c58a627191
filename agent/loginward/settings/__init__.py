"""The configuration's types: what may be set, its defaults and bounds. Pure, no I/O."""

from loginward.settings.directory import Account, Directory, Groups, Users, Watch
from loginward.settings.doors import AdminDoor, Allow, Doors, LoginDoor, LoginPeer, LoginWindow
from loginward.settings.keys import Field, InvalidSettingError, Key, Section, fields_of
from loginward.settings.policy import (
    Expiry,
    Lockout,
    Offline,
    Password,
    Policy,
    Resource,
    Services,
    Throttle,
)
from loginward.settings.radius import Client, Coa, Eap, Radius, RadiusTls, Reply
from loginward.settings.site import Events, Keys, Messages, Settings, Support

__all__ = [
    "Account",
    "AdminDoor",
    "Allow",
    "Client",
    "Coa",
    "Directory",
    "Doors",
    "Eap",
    "Events",
    "Expiry",
    "Field",
    "Groups",
    "InvalidSettingError",
    "Key",
    "Keys",
    "Lockout",
    "LoginDoor",
    "LoginPeer",
    "LoginWindow",
    "Messages",
    "Offline",
    "Password",
    "Policy",
    "Radius",
    "RadiusTls",
    "Reply",
    "Resource",
    "Section",
    "Services",
    "Settings",
    "Support",
    "Throttle",
    "Users",
    "Watch",
    "fields_of",
]
