"""Backups of a ledger, as an operator makes them and takes an older one back."""

from __future__ import annotations

import subprocess

import psycopg

from audiences.demo import postgres


def dump(address: str) -> bytes:
    """The ledger's schema with all that is in it."""
    return _tool("pg_dump", "--schema=audiences", address)


def restore(address: str, backup: bytes) -> None:
    """Put the backup in place of what is there."""
    drop(address)
    _tool("psql", "--quiet", "--set=ON_ERROR_STOP=1", address, given=backup)


def drop(address: str) -> None:
    """Lose the ledger."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("drop schema if exists audiences cascade")


def _tool(name: str, *arguments: str, given: bytes = b"") -> bytes:
    program = postgres.installation() / "bin" / name
    done = subprocess.run([program, *arguments], input=given, check=True, capture_output=True)
    return done.stdout
