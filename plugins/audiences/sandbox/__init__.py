"""A local Facebook Graph API with a memory, injected faults and an admin page: to rehearse on, and what the tests run against."""

from audiences.sandbox.client import AdminClient
from audiences.sandbox.fixtures import ACCOUNT, AD_SETS, APP_ID, APP_SECRET, AUDIENCE, TOKEN
from audiences.sandbox.server import SandboxServer, running_sandbox, running_sandbox_process, serve

__all__ = [
    "ACCOUNT",
    "AD_SETS",
    "APP_ID",
    "APP_SECRET",
    "AUDIENCE",
    "TOKEN",
    "AdminClient",
    "SandboxServer",
    "running_sandbox",
    "running_sandbox_process",
    "serve",
]
