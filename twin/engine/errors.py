"""What can go wrong between Twin and its database. Every message is one line that says what to do."""

from __future__ import annotations


class EngineError(Exception):
    """The database cannot be reached, started or used as it is."""


class AddressUnusable(EngineError):
    """A database address cannot be read, or only some of the three were given."""


class SettingUnusable(EngineError):
    """A setting of the embedded database cannot be read."""


class BinariesMissing(EngineError):
    """The programs of the embedded PostgreSQL are not installed."""


class AccountUnavailable(EngineError):
    """PostgreSQL refuses to run as root and no other way was found on this machine."""


class DataOfAnotherVersion(EngineError):
    """The data directory was written by another major version of PostgreSQL."""


class DataOfAnotherUser(EngineError):
    """The data directory belongs to another account of this machine."""


class PasswordsLost(EngineError):
    """The data are there, the file with the passwords of the roles is not."""


class StartFailed(EngineError):
    """The embedded PostgreSQL did not come up."""


class StartTimedOut(EngineError):
    """Another command kept the start of the database to itself for too long."""


class ServerUnusable(EngineError):
    """The server that the address names is too old, or does not answer."""


class RolesUnavailable(EngineError):
    """The roles owner, app and writer cannot be made from the role that was given."""


class AppRoleTooStrong(EngineError):
    """The app role could step over row-level security, so nothing is served with it."""


class BackupUnwritable(EngineError):
    """The file of a backup cannot be made where it was asked for."""


class BackupUnreadable(EngineError):
    """A file is no whole backup, or one that this version cannot read."""


class ContentsHidden(EngineError):
    """The owner role does not see every row, so a backup would lack some."""


class DatabaseInUse(EngineError):
    """Somebody works in the database that is to be filled."""
