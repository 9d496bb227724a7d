"""Any file -> mesh or case in metres; ParaView files, data-set folders and checkpoints out."""
