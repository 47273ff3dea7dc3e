"""What stands in the launch form, and what it comes to. Nothing here draws.

`draft` says what was asked for, `ground` what it stands on, `fields` what can be typed, `preview` what it makes, `lr`
its learning rates, `estimate` what it costs, `repeats` which runs were the same, `shelf` which presets there are,
`launching` puts it into the queue.
"""

from vitui.drafts.draft import Draft

__all__ = ["Draft"]
