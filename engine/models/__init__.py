"""Models: timm first; what timm lacks is registered into timm's own registry, by importing this package."""

from engine.models import compact_zoo

__all__ = ["compact_zoo"]
