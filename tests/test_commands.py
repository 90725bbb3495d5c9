"""The command line: real help with an example, one line per error, the right exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from microface.commands import COMMANDS, main, parser


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `microface` as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "microface", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_command() -> None:
    outcome = run("--help")
    assert outcome.returncode == 0
    for name, line in COMMANDS.items():
        assert name in outcome.stdout
        assert line.split()[0] in outcome.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_an_example_and_explains_each_option(name: str) -> None:
    commands = next(
        action
        for action in parser()._actions
        if action.dest == "command" and hasattr(action, "choices")
    )
    assert isinstance(commands.choices, dict)
    command = commands.choices[name]
    assert f"microface {name}" in command.format_help().split("usage:")[1].split("\n", 1)[1]
    assert all(action.help for action in command._actions)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--strength", "99"], "A strength of 99"),
        (["--clip", "builtin:nope"], "no built-in clip 'nope'"),
        (["--clip", "."], "holds no pictures"),
        (["--fps", "0"], "frame rate"),
    ],
)
def test_the_demo_refuses_before_it_makes_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [["--minutes", "0"], ["--pairs", "-1"], ["--threads", "-2"], ["--seed", "-1"]]
)
def test_a_training_refuses_numbers_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), *wrong]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert wrong[0] in line and wrong[1] in line
    assert not (tmp_path / "run").exists()


def test_unknown_command_exits_with_2() -> None:
    assert run("retarte").returncode == 2


def test_version() -> None:
    outcome = run("--version")
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("microface ")
