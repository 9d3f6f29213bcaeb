"""Others' formats: files into a ledger, and a ledger into files."""

from ledger.interchange.account import Imported
from ledger.interchange.formats import FORMATS
from ledger.interchange.importing import import_file
from ledger.interchange.outcomes import Outcome

__all__ = ["FORMATS", "Imported", "Outcome", "import_file"]
