"""Details of a run in the launch form: name, seeds, device, tags, question, note. Pure."""

from __future__ import annotations

from vitui import display
from vitui.tui.screens.launch_desk import Sheet
from vitui.tui.screens.launch_rows import Detail
from vitui.tui.screens.pick import Choice
from vitui.tui.widgets.listing import Row


def details(sheet: Sheet) -> list[Row]:
    """Details of the run as rows of the form."""
    draft, made = sheet.draft, sheet.preview
    if draft is None:
        return []
    of_recipe = f"{made.seeds[0]}, the recipe's" if made and made.seeds and not draft.seeds else "the recipe's"
    rows = (
        Detail("name", "name", draft.name, draft.preset or "the preset's name", "What the run is called in lists."),
        Detail("seeds", "seeds", ", ".join(map(str, draft.seeds)), of_recipe,
               "One run for each: 0,1,2 as they stand, 3 for three from the recipe's seed on, 7, for seed 7 alone."),
        Detail("device", "device", device_text(draft.device, sheet), "",
               "auto takes a free GPU, or the CPU where there is none. left and right go through what is here."),
        Detail("tags", "tags", " ".join(draft.tags), "none", "Words to find the run by, with spaces between them."),
        Detail("question", "question", draft.question, "none", "What the run is to find out."),
        Detail("notes", "note", draft.notes, "none", "Anything to remember."),
    )  # fmt: skip
    return [Row(detail.key, detail) for detail in rows]


def device_choices(sheet: Sheet) -> list[Choice]:
    """What a run can be asked to be trained on here."""
    gpus = [device for device in sheet.devices if device.key != "cpu"]
    chosen = [Choice("auto", "auto", "a free GPU" if gpus else "the CPU: there is no GPU here")]
    if gpus:
        chosen.append(Choice("gpu", "gpu", "any GPU"))
    for device in sheet.devices:
        free = f"{display.bytes_(device.memory_free)} of {display.bytes_(device.memory_total)} free"
        chosen.append(Choice("cpu" if device.key == "cpu" else f"gpu:{device.index}", device.label,
                             f"{device.name}, {free}"))  # fmt: skip
    return chosen


def device_text(device: str, sheet: Sheet) -> str:
    """A device with what is known of it: ``gpu:0 (NVIDIA H200, 74.1 GiB of 139 GiB free)``."""
    found = next((choice for choice in device_choices(sheet) if choice.id == device), None)
    return f"{device} ({found.detail})" if found else f"{device} (not on this machine)"
