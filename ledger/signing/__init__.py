"""Who signed a checkpoint: keys, the signer's memory, witnesses, and what a checker asks for.

Nothing here knows an event or a database. The form of what is signed is in `ledger.merkle`. Ed25519
comes from `cryptography`, the extra `sign`; a host may bring a signer of its own.
"""

from ledger.signing.heads import CheckpointSigner, FileMemory, Memory
from ledger.signing.keys import Ed25519Signer, Signer
from ledger.signing.policy import Policy, Signed
from ledger.signing.sshsig import allowed_signer, ssh_signature, verify_ssh_signature
from ledger.signing.stamps import check_stamp, stamped
from ledger.signing.witness import Cosigner, Witness, cosigned

__all__ = [
    "CheckpointSigner",
    "Cosigner",
    "Ed25519Signer",
    "FileMemory",
    "Memory",
    "Policy",
    "Signed",
    "Signer",
    "Witness",
    "allowed_signer",
    "check_stamp",
    "cosigned",
    "ssh_signature",
    "stamped",
    "verify_ssh_signature",
]
