"""Takes sitewatch off a box; what the operator wrote and what sitewatch kept stay, unless they are to go too."""

from __future__ import annotations

from agent.install.hands import Hands
from agent.install.layout import CONFIGURATION, KEPT, OPERATORS_UNITS, PREFIX, Layout
from agent.install.manager import Manager
from agent.install.units import Units

USER = "sitewatch"


def uninstall(layout: Layout, hands: Hands, manager: Manager | None, *, purge: bool) -> None:
    """Stop, disable, remove; a second time there is nothing to do.

    Raises:
        InstallError: systemctl failed; nothing was removed yet.
    """
    if manager is not None:
        manager.disable(manager.enabled())
        manager.stop(manager.instances())
    Units(layout, hands).take_away()
    hands.remove(layout.real(PREFIX))
    kept = [path for path in (CONFIGURATION, *KEPT) if layout.real(path).exists()]
    if purge:
        for path in kept:
            hands.remove(layout.real(path))
        for path in sorted(layout.real(OPERATORS_UNITS).glob("sitewatch@*.service.d")):
            hands.remove(path)
    elif kept:
        hands.say(f"left as they are: {', '.join(map(str, kept))}, and the user {USER}; --purge removes them")
    if manager is None:
        return
    manager.read_anew()
    if purge and hands.ask("id", USER)[0] == 0:
        hands.run("userdel", USER)
