"""Real Jupyter servers with their own settings, and pages on them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.opened import Opened
from tests.helpers import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Jupyter:
    """A real server with a folder of notebooks, and pages on it."""

    def __init__(self, url: str, token: str, folder: Path, browser: Browser) -> None:
        self.url, self.token, self.folder, self.browser = url, token, folder, browser

    def open(self, path: str, *, theme: str = "light") -> Opened:
        context = self.browser.new_context(
            viewport={"width": 1300, "height": 900}, color_scheme=theme
        )
        opened = Opened(context.new_page())
        opened.only_allow(lambda url: url.startswith((self.url, "data:", "blob:")))
        separator = "&" if "?" in path else "?"
        opened.page.goto(f"{self.url}{path}{separator}token={self.token}")
        opened.page.wait_for_function("window.jupyterapp !== undefined")
        return opened

    def run_all(self, opened: Opened) -> None:
        """Run the notebook that is open, once its kernel is there."""
        opened.page.wait_for_function(
            """() => {
                 const shell = window.jupyterapp.shell;
                 const panel = shell.currentWidget;
                 const session = panel?.sessionContext ?? panel?.context?.sessionContext;
                 return session?.session?.kernel?.status === "idle";
               }"""
        )
        opened.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def write(self, name: str, cells: list[str], *, outputs: bool = True) -> str:
        """A notebook of code cells; its path on the server."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{i}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for i, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(notebook), encoding="utf-8")
        return name


@contextlib.contextmanager
def jupyter_server(
    application: str, folder: Path, browser: Browser, extra: list[str]
) -> Iterator[Jupyter]:
    port, token = free_port(), secrets.token_hex(16)
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_DATA_DIR=str(folder / "data"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
        JUPYTER_PREFER_ENV_PATH="1",
        IPYTHONDIR=str(folder / "ipython"),
        PYTHONPATH=os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    )
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", application, "--no-browser", "--allow-root"),
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={notebooks}",
            *extra,
        ],
        env=environment,
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{url}api/status?token={token}", timeout=2).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "server.log").read_text()) from None
                time.sleep(0.2)
        yield Jupyter(url, token, notebooks, browser)
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(15)
        server.kill()
        log.close()
