"""Python with the packages of peers/, which Gearshed itself does not need."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = PEERS / "requirements.txt"


def peer_python() -> str:
    """Return the interpreter of a virtual environment with the peers' packages, installed on first use."""
    version = sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = user_cache_path("gearshed-bench") / f"peers-{version}"
    python, installed = folder / "bin" / "python", folder / "installed"
    if not installed.exists():
        print(f"Installing the peers' packages into {folder} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)], check=True)
        installed.touch()
    return str(python)
