from repermit.domain.count import counted, people


def test_one_is_one_and_all_others_are_many() -> None:
    assert [counted(each, "mail") for each in (0, 1, 12_400)] == [
        "0 mails",
        "1 mail",
        "12,400 mails",
    ]
    assert counted(2, "address", "addresses") == "2 addresses"
    assert [people(each) for each in (1, 2)] == ["1 person", "2 people"]
