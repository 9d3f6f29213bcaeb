"""A quotation stands in its document, exactly where it says."""

from __future__ import annotations

import unicodedata

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.errors import InvalidQuotation
from ledger.model.anchoring import earliest, latest
from ledger.model.quotation import MODES, Quotation, anchored, context, within

TEXT = " He saw the \U0001f30a.\r\nThe cafe\u0301 said\u00a0“no”. It rains. It rains."
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)
small = st.text("ab \r\n\u0301\U0001f30a", min_size=1, max_size=12)


def refusal(quote, text=TEXT):
    with pytest.raises(InvalidQuotation) as caught:
        anchored(Quotation.of(quote), text, document="d1")
    assert all(sign.isprintable() or sign == "\n" for sign in str(caught.value))
    return str(caught.value)


def at(words):
    start = TEXT.index(words)
    return start, start + len(words)


# Building one, without a text.


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_kept_and_direct_is_the_default(mode):
    assert Quotation(exact="a", mode=mode).mode == mode
    assert Quotation(exact="a").mode == "direct"


def test_a_quotation_is_built_from_words_pieces_a_mapping_or_itself():
    pieces = Quotation.of(["the road", "open"])
    assert Quotation.of("a") == Quotation(exact="a")
    assert Quotation.of(["a"]) == Quotation(exact="a")
    assert pieces.exact == "the road open"
    assert pieces.pieces == ("the road", "open")
    assert Quotation.of(pieces) is pieces
    assert Quotation.of({"exact": ["the road", "open"], "prefix": None}) == pieces
    assert Quotation.of({"exact": "a", "ranges": [[1, 2]], "mode": "mixed"}).ranges == ((1, 2),)


def test_ranges_cut_the_words_into_pieces():
    quotation = Quotation(exact="the road open", ranges=[(0, 8), (12, 16)])
    assert quotation.pieces == ("the road", "open")
    assert Quotation(exact="the road open").pieces == ("the road open",)
    assert Quotation(exact="does not fit", ranges=[(0, 1), (2, 3)]).pieces == ("does not fit",)


@pytest.mark.parametrize(
    "quote, path, what",
    [
        ("", "words", "is empty"),
        ([], "words", "empty list"),
        (["a", ""], "words[1]", "is empty"),
        ("a\0b", "words", "NUL"),
        (["a", "\ud800"], "words[1]", "surrogate"),
        (5, "words", "must be the quoted words, got 5 (int)"),
        ({"exakt": "a"}, "words", "Did you mean 'exact'?"),
        ({}, "words.exact", "is empty"),
        ({"exact": ["a", 1]}, "words.exact[1]", "must be text"),
        ({"exact": "a", "mode": "dirct"}, "words.mode", "Did you mean one of 'direct'"),
        ({"exact": "a", "mode": ["direct"]}, "words.mode", "Write one of direct"),
        ({"exact": "a", "prefix": 1}, "words.prefix", "must be text"),
        ({"exact": "a", "prefix": {}}, "words.prefix", "must be text, got {} (dict)"),
        ({"exact": "a", "suffix": []}, "words.suffix", "must be one text, got a list"),
        ({"exact": "a", "renderings": 5}, "words.renderings", "must be a list, got 5"),
        ({"exact": "a", "ranges": "1-2"}, "words.ranges", "list of pairs"),
        ({"exact": "a", "ranges": 5}, "words.ranges", "list of pairs"),
        ({"exact": "a", "ranges": [1, 2]}, "words.ranges[0]", "write ranges=[(32, 39)]"),
        ({"exact": "a", "ranges": [[1, 2, 3]]}, "words.ranges[0]", "pair of start and end"),
        ({"exact": "a", "ranges": [[1.0, 2]]}, "words.ranges[0][0]", "got 1.0 (float)"),
        ({"exact": "a", "ranges": [[0, True]]}, "words.ranges[0][1]", "got True (bool)"),
        ({"exact": "a", "ranges": [["0", 1]]}, "words.ranges[0][0]", "got '0' (str)"),
        ({"exact": "a", "ranges": [[-1, 1]]}, "words.ranges[0][0]", "below 0"),
        ({"exact": "a", "ranges": [[0, 10**5000]]}, "words.ranges[0][1]", "beyond the end"),
        ({"exact": "a", "ranges": [[3, 3]]}, "words.ranges[0]", "is empty"),
        ({"exact": "a", "ranges": [[39, 32]]}, "words.ranges[0]", "runs backwards; write (32, 39)"),
        ({"exact": "a b", "ranges": [[5, 6], [1, 2]]}, "words.ranges[1]", "must rise"),
        ({"exact": "a b", "ranges": [[1, 5], [4, 8]]}, "words.ranges[1]", "must not overlap"),
        ({"exact": ["a", "b"], "ranges": [[1, 2]]}, "words.ranges", "1 pairs for 2 pieces"),
        ({"exact": "a", "ranges": [[2 * i, 2 * i + 1] for i in range(1001)]}, "words.ranges", "at"),
    ],
)
def test_what_is_no_quotation_is_refused_with_its_path(quote, path, what):
    with pytest.raises(InvalidQuotation) as caught:
        Quotation.of(quote, field="words")
    assert caught.value.field == path
    assert str(caught.value).startswith(f"{path} ")
    assert what in str(caught.value)


def test_a_list_where_one_text_belongs_is_told_what_to_type():
    with pytest.raises(InvalidQuotation, match=r"Quotation\.of"):
        Quotation(exact=["a", "b"])  # type: ignore[arg-type]
    with pytest.raises(InvalidQuotation, match=r"Quotation\.of"):
        Quotation(exact="a b", parts=("a", "c"))


# Against a text.


def test_words_that_stand_once_get_their_range():
    assert anchored(Quotation.of("“no”"), TEXT, document="d1").ranges == (at("“no”"),)


def test_ranges_of_pieces_are_found_in_rising_order_and_the_parts_given_up():
    quotation = anchored(Quotation.of(["He", "the \U0001f30a"]), TEXT, document="d1")
    assert quotation.ranges == (at("He"), at("the \U0001f30a"))
    assert quotation.parts == ()
    assert quotation == Quotation(exact="He the \U0001f30a", ranges=quotation.ranges)
    assert anchored(quotation, TEXT, document="d1") == quotation


def test_a_prefix_or_suffix_tells_two_places_apart():
    second = {"exact": "It rains.", "prefix": "rains. "}
    first = {"exact": "It rains.", "suffix": " It"}
    start = TEXT.index("It rains.")
    assert anchored(Quotation.of(first), TEXT, document="d1").ranges == ((start, start + 9),)
    assert anchored(Quotation.of(second), TEXT, document="d1").ranges == ((start + 10, start + 19),)


def test_words_at_several_places_are_refused_with_the_places_and_what_to_type():
    message = refusal("It rains")
    start = TEXT.index("It rains")
    assert f"{start}..{start + 8}, {start + 10}..{start + 18}" in message
    assert f"ranges=[({start}, {start + 8})]" in message


def test_at_most_five_places_are_listed():
    message = refusal("a", "a" * 100)
    assert message.count("..") == 5
    assert "4..5 and more." in message
    assert "0..2, 1..3." in refusal("aa", "aaa")
    assert "stands at several places" in refusal(["a", "a"], "aaa")


@pytest.mark.parametrize(
    "recount, cause",
    [
        (lambda o: len(TEXT[:o].encode("utf-16-le")) // 2, "in UTF-16 units"),
        (lambda o: len(TEXT[:o].encode()), "in bytes"),
        (lambda o: o - 1, "without its leading blank"),
        (lambda o: o - TEXT[:o].count("\r\n"), "with CR LF as one sign"),
        (lambda o: o - 1 - TEXT[:o].count("\r\n"), "leading blank and with CR LF as one sign"),
        (lambda o: o + 1, "from 1"),
    ],
)
def test_offsets_counted_in_another_way_are_recognised(recount, cause):
    words = "said\u00a0“no”"
    start, end = at(words)
    message = refusal({"exact": words, "ranges": [[recount(start), recount(end)]]})
    assert cause in message
    assert f"Type ranges=[({start}, {end})]" in message


@pytest.mark.parametrize("first, last", [(1, 0), (0, -1)])
def test_an_end_that_was_counted_in_is_recognised(first, last):
    start, end = at("rains. It")
    assert "with the end included" in refusal(
        {"exact": "rains. It", "ranges": [[start + first, end + last]]}
    )


def test_the_cause_is_found_for_several_ranges_as_well():
    pieces = ["the \U0001f30a", "“no”"]
    ranges = [[len(TEXT[:o].encode()) for o in at(piece)] for piece in pieces]
    message = refusal({"exact": pieces, "ranges": ranges})
    assert "in bytes" in message
    assert f"Type ranges=[{at(pieces[0])}, {at(pieces[1])}]" in message


def test_a_wrong_range_shows_both_texts_and_where_the_words_stand():
    start, end = at("saw")
    message = refusal({"exact": "saw", "ranges": [[start + 13, end + 13]]})
    assert repr(TEXT[start + 13 : end + 13]).strip("'") in message
    assert f"says 'saw'. It stands at {start}..{end} (13 earlier)" in message
    assert "counted" not in message


def test_a_range_past_the_end_tells_the_length():
    assert f"which has {len(TEXT)} code points" in refusal({"exact": "saw", "ranges": [[99, 102]]})


@pytest.mark.parametrize(
    "quote, cause",
    [
        ("caf\u00e9", "Unicode normal form"),
        ("said “no”", "white space"),
        ('"no"', "quotation marks"),
        (".\nThe", "line ends"),
        ("It ra\u00adins", "an invisible sign (U+00AD SOFT HYPHEN)"),
        ("IT RAINS", "upper and lower case"),
        ("caf\u00e9 SAID", "Unicode normal form and upper and lower case"),
    ],
)
def test_words_changed_on_the_way_are_found_with_the_cause(quote, cause):
    message = refusal(quote)
    assert "does not occur in document 'd1'" in message
    assert f"which differs in {cause}. Quote it as written." in message


def test_the_nearest_passage_is_shown_for_words_that_do_not_occur():
    start, end = at("saw the")
    assert f"The nearest passage, at {start}..{end}, reads 'saw the'" in refusal("saw in the")
    assert "Nothing like it stands there. Copy the words" in refusal("qqq")


def test_a_long_quotation_is_followed_to_the_sign_where_it_parts():
    text = "The first half of this sentence is word for word the same, the second is not."
    quote = text[:60] + "other half differs from it."
    message = refusal(quote, text)
    assert "Its first 60 signs stand at 0..60" in message
    assert "'other half" in message


def test_pieces_in_another_order_are_refused_as_such():
    assert "do not follow each other" in refusal(["the \U0001f30a", "He"])
    assert "The piece 'qqq' does not occur" in refusal(["He", "qqq"])


def test_words_in_front_and_behind_must_stand_there():
    given = {"exact": "saw", "ranges": [list(at("saw"))]}
    assert "there the text reads 'He '" in refusal(given | {"prefix": "I  "})
    assert "there the text reads ' the'" in refusal(given | {"suffix": " thy"})
    assert "The prefix" in refusal({"exact": "saw", "prefix": "I "})
    assert "The suffix" in refusal({"exact": "saw", "prefix": "He ", "suffix": "n"})


def test_pieces_that_do_not_fit_their_ranges_are_refused_although_the_sum_does():
    text = "a b c d"
    ranges = [[0, 3], [4, 5]]
    assert anchored(Quotation.of({"exact": ["a b", "c"], "ranges": ranges}), text, document="d")
    assert refusal({"exact": ["a", "b c"], "ranges": ranges}, text)


def test_very_long_texts_and_quotations_are_diagnosed_too():
    text = "a\u0301b " * 300_000 + "“the end”"
    assert "quotation marks" in refusal('"the end"', text)
    assert f"{len(text) - 9}..{len(text)}" in refusal('"the end"', text)
    assert refusal("a" * 90_000 + "b", "a" * 1_000_000)


# Any text, any slice.


@given(texts, st.data())
def test_any_slice_of_any_text_anchors_back_to_itself(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    given_ranges = Quotation(
        exact=text[start:end], ranges=[(start, end)], prefix=text[:start], suffix=text[end:]
    )
    assert anchored(given_ranges, text, document="d") == given_ranges
    found = anchored(attrs.evolve(given_ranges, ranges=()), text, document="d")
    assert found == given_ranges


@given(small, st.data())
def test_any_shifted_range_that_gives_another_text_is_refused(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    other = data.draw(st.integers(0, len(text) + 3))
    until = data.draw(st.integers(other + 1, len(text) + 4))
    assume(text[other:until] != text[start:end] or until > len(text))
    refusal({"exact": text[start:end], "ranges": [[other, until]]}, text)


@given(small, small)
def test_words_without_ranges_are_anchored_only_where_they_stand_once(text, words):
    places = [
        place for place in range(len(text)) if text.startswith(words, place)
    ]  # the slow and sure way
    if len(places) == 1:
        quotation = anchored(Quotation.of(words), text, document="d")
        assert quotation.ranges == ((places[0], places[0] + len(words)),)
    else:
        refusal(words, text)


def every_way(text, pieces, start=0):
    """All rising ranges of the pieces, by trying every place."""
    if not pieces:
        yield ()
        return
    for place in range(start, len(text)):
        if text.startswith(pieces[0], place):
            end = place + len(pieces[0])
            for rest in every_way(text, pieces[1:], end):
                yield ((place, end), *rest)


@given(
    st.text("ab", max_size=10),
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_earliest_and_latest_agree_exactly_when_there_is_one_way(text, pieces):
    ways = list(every_way(text, pieces))
    assert earliest(text, pieces) == (min(ways) if ways else ())
    assert latest(text, pieces) == (max(ways) if ways else ())
    assert (len(ways) == 1) == bool(ways and earliest(text, pieces) == latest(text, pieces))


@given(texts, texts)
def test_a_refusal_never_fails_whatever_the_texts(text, words):
    try:
        anchored(Quotation.of(words), text, document="d\u202e")
    except InvalidQuotation as error:
        assert "\u202e" not in str(error)  # noqa: PT017 - most of the texts are refused, not all


@given(texts)
def test_another_normal_form_is_named_wherever_it_is_the_only_difference(text):
    other = unicodedata.normalize("NFD", text)
    assume(unicodedata.normalize("NFC", text) not in other)
    assume(text not in other)
    assert "Unicode normal form" in refusal(unicodedata.normalize("NFC", text), other)


# With the length only, and for display.


def test_without_the_text_ranges_must_end_within_the_document():
    quotation = Quotation(exact="open", ranges=[(12, 16)])
    assert within(quotation, 16, document="d1") == quotation
    with pytest.raises(InvalidQuotation, match="has 15 code points"):
        within(quotation, 15, document="d1")


def test_without_the_text_ranges_must_cover_as_many_signs_as_the_words_have():
    with pytest.raises(InvalidQuotation, match="cover 5 code points"):
        within(Quotation(exact="open", ranges=[(12, 17)]), 99, document="d1")
    pieces = Quotation.of({"exact": ["the", "road"], "ranges": [[0, 3], [9, 13]]})
    assert within(pieces, 99, document="d1").parts == ()
    assert within(Quotation.of(["the", "road"]), 99, document="d1").pieces == ("the", "road")


def test_the_context_is_the_text_on_both_sides_or_else_prefix_and_suffix():
    quotation = Quotation(exact="c", ranges=[(2, 3)])
    assert context("abcde", quotation) == ("ab", "de")
    assert context("abcde", quotation, width=1) == ("b", "d")
    loose = Quotation(exact="c", prefix="ab", suffix="de")
    assert context("", loose, width=1) == ("b", "d")
    assert context("abcde", quotation, width=0) == ("", "")
    assert context("", loose, width=0) == ("", "")
