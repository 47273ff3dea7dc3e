"""Models: timm first; what timm lacks is registered into timm's own registry."""
