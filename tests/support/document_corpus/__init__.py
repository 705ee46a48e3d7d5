"""Result messages made to embarrass whoever writes the document: one name, one message, one end."""

from tests.support.document_corpus.around import around
from tests.support.document_corpus.germs import germs
from tests.support.document_corpus.made import KEPT, LEAVES, REFUSED, Made
from tests.support.document_corpus.objects import objects
from tests.support.document_corpus.orders import orders
from tests.support.document_corpus.people import people
from tests.support.document_corpus.values import values

__all__ = ["CORPUS", "KEPT", "LEAVES", "REFUSED", "Made"]
CORPUS: dict[str, Made] = {**values(), **around(), **orders(), **people(), **germs(), **objects()}
