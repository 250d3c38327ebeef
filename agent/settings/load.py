"""A site file becomes frozen settings, or every mistake in one report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from agent.errors import SettingsError
from agent.settings.broken_rule import BrokenRule
from agent.settings.files import unreadable_files
from agent.settings.keys import secret_keys
from agent.settings.mistake import Mistake, overlaps, render
from agent.settings.models import SiteSettings
from agent.settings.repair import without
from agent.settings.rules import broken_rules
from agent.settings.secrets import SecretSource
from agent.settings.translation import note_mistakes
from agent.settings.yaml_reader import Document, read_document
from agent.settings.yaml_text import UnreadableFileError


def load_site(path: Path, environ: Mapping[str, str], *, check_files: bool = True) -> SiteSettings:
    """Read one site file.

    Args:
        path: the site file; relative paths in it start at its folder.
        environ: the environment, for ${NAME} in secrets.
        check_files: whether models, labels, certificates and clips must be there too. Secrets always must.

    Raises:
        SettingsError: with every mistake, each with file, line, key, what was found and what is allowed.
    """
    site, mistakes = read_site(path, environ, check_files=check_files)
    if site is None or mistakes:
        raise SettingsError(render(mistakes))
    return site


def read_site(
    path: Path, environ: Mapping[str, str], *, check_files: bool = True
) -> tuple[SiteSettings | None, list[Mistake]]:
    """The settings, if there are no mistakes, and the mistakes as data; arguments as for `load_site`."""
    folder = path.absolute().parent
    try:
        document = read_document(path, secret_keys(), SecretSource(environ, folder).read)
    except UnreadableFileError as error:
        return None, [error.mistake]
    site = _validated(document, folder)
    if site is not None:
        files = unreadable_files(site) if check_files else ()
        _note(chain(broken_rules(site), files), document)
    return (None if document.mistakes else site), document.mistakes


def mistakes_found_later(path: Path, environ: Mapping[str, str], broken: Iterable[BrokenRule]) -> SettingsError:
    """What turned out to be wrong with things that a site file names, as one report with lines.

    Args:
        path: as for `load_site`, which has found the file good.
        environ: as for `load_site`.
        broken: what is wrong; at least one.
    """
    try:
        document = read_document(path, secret_keys(), SecretSource(environ, path.absolute().parent).read)
    except UnreadableFileError as error:  # gone since it was read
        return SettingsError(render([error.mistake]))
    _note(broken, document)
    return SettingsError(render(document.mistakes))


def _validated(document: Document, folder: Path) -> SiteSettings | None:
    """What could be read, with stand-ins for what could not; notes mistakes, leaves rules to the caller."""
    context = {"folder": folder, "rules": "apart"}
    try:
        site = SiteSettings.model_validate(document.value, context=context)
    except ValidationError as error:
        note_mistakes(error, document)
    else:
        if not document.mistakes:
            return site
    repaired = without(document.value, document.unusable)
    try:
        return SiteSettings.model_validate(repaired, context=context)
    except ValidationError:
        return None  # beyond repair: the mistakes found so far are told without the rules


def _note(rules: Iterable[BrokenRule], document: Document) -> None:
    """Note broken rules as mistakes, without those that looked at a key that is wrong anyway."""
    unusable = tuple(document.unusable)
    for rule in rules:
        if not any(overlaps(key_path, unusable) for key_path in (rule.key_path, *rule.also)):
            document.add(rule.key_path, rule.found, rule.allowed, rule.hint)
