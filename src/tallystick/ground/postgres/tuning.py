"""The server's own configuration, sized from the machine's memory.

It is not for an external PostgreSQL, whose configuration is its operator's.
"""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024**2
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_memory() -> int:
    """Bytes of memory we may use: the machine's, or a smaller limit of our container."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in CGROUP_LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            memory = min(memory, int(text))
    return memory


def configuration(memory: int, port: int, *, fsync: bool) -> str:
    """Text of `tally.conf`. Without `fsync` a crash of the machine loses the database: for tests only."""
    values = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": port,
        "max_connections": 100,
        "password_encryption": "scram-sha-256",
        "shared_buffers": _mib(memory // 8, 32, 4096),
        "effective_cache_size": _mib(memory // 2, 128, 65536),
        "work_mem": _mib(memory // 1024, 4, 32),
        "maintenance_work_mem": _mib(memory // 32, 32, 1024),
        "random_page_cost": 1.1,
        "jit": "off",
        "fsync": "on" if fsync else "off",
        "synchronous_commit": "on" if fsync else "off",
        "full_page_writes": "on" if fsync else "off",
        "wal_compression": "on",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "log_checkpoints": "off",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "lc_messages": "C",
    }
    head = "# Written by Tallystick at every start; put settings of your own in a later file, such as zz-own.conf.\n"
    return head + "".join(f"{name} = '{value}'\n" for name, value in values.items())


def _mib(size: int, least: int, most: int) -> str:
    """`size` bytes in whole MiB, kept between `least` and `most` MiB."""
    return f"{min(max(size // MIB, least), most)}MB"
