"""From files to batches: packing, drawing augmentation on the host, applying it on the device."""
