"""Accounts on an LDAP server."""
