"""Whether this process may open a device node, and what a person does where it may not."""

from __future__ import annotations

from devices.probes.root import Root

_DEADLINE_S = 5.0
_REFUSED = 1
_NAMELESS = ("", "root", "nobody", "UNKNOWN")


def refusal(root: Root, node: str) -> str | None:
    """Why `node` cannot be opened for reading and writing, or None where it can, or nothing tells.

    Asked of the system by `test`, which knows access lists and capabilities; file modes alone do not tell.
    """
    if root.run(("test", "-r", node, "-a", "-w", node), _DEADLINE_S).code != _REFUSED:
        return None
    group = root.run(("stat", "-L", "-c", "%G", node), _DEADLINE_S).output.strip()
    if group in _NAMELESS:
        return (
            f"{node} is there, but belongs to root alone: a udev rule must give it to group render "
            "(in a container: pass the host's group by number, --group-add)"
        )
    return f"{node} is there, but you are not in group {group}: sudo usermod -aG {group} $USER, then log in again"
