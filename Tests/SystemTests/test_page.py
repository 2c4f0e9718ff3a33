"""The web page at `/`, in a real browser."""

from __future__ import annotations

import base64
import dataclasses
import hmac
import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import ClassVar

from between import Between
from browser import Browser
from harness import SystemTestCase, any_free_port, eventually

from devkit.packages import axe_script

LOOKS = {
    "light": ({"color_scheme": "light"}, (1200, 860, 1)),
    "dark": ({"color_scheme": "dark"}, (1200, 860, 1)),
    "narrow": ({"color_scheme": "light"}, (390, 844, 2)),
}
"""How the page may look: media features, and the viewport."""

DEPOSIT, ORDER = "#deposit-form [type=submit]", "#order-form [type=submit]"


class PageTests(SystemTestCase):
    browser: ClassVar[Browser]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        super().setUp()
        self.begin(f"http://{self.system.address}/")

    def tearDown(self) -> None:
        self.assertEqual(self.browser.complaints(), [])

    def begin(self, url: str) -> None:
        """Opens the page as somebody who was never here."""
        self.browser.prefer(color_scheme="light")
        self.browser.size(*LOOKS["light"][1])
        self.browser.open(url)
        self.browser.script("localStorage.clear(); sessionStorage.clear()")
        self.browser.reload()

    # What people do

    def open_account(self, name: str = "Anna", currency: str = "", money: str = "") -> str:
        """A new account with money on it; the user's id."""
        self.browser.fill("#open-name", name)
        self.browser.script("document.getElementById('open-currency').value = arguments[0]", currency)
        self.browser.click("#open-form [type=submit]")
        self.browser.wait_text("#user-button", name)
        self.browser.wait_text("#live", "Live")
        if money:
            self.top_up(money)
        return self.browser.script("return localStorage.getItem('gozon.user')")

    def top_up(self, money: str) -> None:
        self.browser.fill("#deposit-amount", money)
        self.browser.click(DEPOSIT)
        self.browser.wait_text("#deposit-form .status", "added")

    def order(self, description: str, price: str) -> None:
        self.browser.fill("#order-description", description)
        self.browser.fill("#order-amount", price)
        self.browser.click(ORDER)
        self.browser.wait_text("#order-form .status", "Order taken", description)

    def send_until_taken(self) -> None:
        """Waits until an order that was sent is taken; sends it again when the page gives up, as it says one may."""

        def price() -> str:
            if self.browser.text("#order-form [data-part=problem]"):
                self.browser.click(ORDER)
            return self.browser.script("return document.getElementById('order-amount').value")

        eventually(price, lambda text: text == "", "the order to be taken")

    def wait_order(self, description: str, *parts: str) -> None:
        """Waits until the list says this of an order, without anybody's doing."""
        eventually(
            lambda: self.browser.texts(".order"),
            lambda rows: any(all(part in row for part in (description, *parts)) for row in rows),
            f"an order {description} to be {parts}",
            30,
        )

    def amounts(self, user: str) -> list[int]:
        return [order["amount"] for order in self.client.orders_of(user)]

    # The life of an order

    def test_an_order_is_paid_before_ones_eyes(self) -> None:
        user = self.open_account(money="500")
        self.browser.wait_text("#balance", "500.00")
        self.order("Tea", "120,5")
        self.wait_order("Tea", "Paid", "120.50")
        self.browser.wait_text("#balance", "379.50")
        self.assertEqual(self.amounts(user), [12050])

        self.browser.click(".order .toggle")
        self.browser.wait_text(".timeline", "Order taken", "Paid from the account")
        self.browser.wait_text(".details", self.client.orders_of(user)[0]["id"])
        self.browser.click("#tab-entries")
        self.browser.wait_text("#entries", "Tea", "−", "120.50", "Top-up", "+", "500.00")

    def test_what_others_do_shows_up_too(self) -> None:
        user = self.open_account(money="1")
        placed = self.client.order(user, 60, description="by the API")
        self.wait_order("by the API", "Paid", "0.60")
        self.client.cancel(placed["id"])
        self.wait_order("by the API", "Refunded")
        self.browser.wait_text("#balance", "1.00")

    def test_what_cannot_be_paid_says_why(self) -> None:
        self.open_account(money="10")
        self.browser.fill("#order-amount", "10.01")
        self.browser.wait_text("#order-warning", "More than the", "10.00")
        self.order("Samovar", "10.01")
        self.wait_order("Samovar", "Not paid: not enough money")
        # The news of the order may be there before the answer that empties the form.
        eventually(lambda: self.browser.text("#order-warning"), lambda text: text == "", "the warning to go")
        self.top_up("5")
        self.browser.click(".order .toggle")
        # It comes a moment later, and moves what is below.
        self.browser.wait_text(".timeline", "Not paid")
        self.browser.click(".order [data-part=again]")
        filled = "return document.getElementById('order-amount').value"
        eventually(lambda: self.browser.script(filled), lambda amount: amount == "10.01", "the form to be filled")
        self.browser.click(ORDER)
        self.wait_order("Samovar", "Paid")

    def test_a_paid_order_is_taken_back_after_a_question(self) -> None:
        user = self.open_account(money="500")
        self.order("Tea", "120")
        self.wait_order("Tea", "Paid")
        self.browser.click(".order .toggle")
        self.browser.click(".order [data-part=cancel]")
        self.browser.wait_text("#confirm-text", "Tea", "120.00")
        self.browser.click("#confirm-dialog [data-close]")
        self.browser.wait_shown("#confirm-dialog", False)
        self.assertEqual(self.client.orders_of(user)[0]["status"], "FINISHED")

        self.browser.click(".order [data-part=cancel]")
        self.browser.click("#confirm-yes")
        self.wait_order("Tea", "Refunded")
        self.browser.wait_text(".timeline", "Cancellation asked for", "Money given back")
        self.browser.wait_text("#balance", "500.00")
        self.assertEqual([entry["kind"] for entry in self.client.entries_of(user)], ["REFUND", "CHARGE", "DEPOSIT"])

    def test_lists_go_on_where_they_end(self) -> None:
        user = self.open_account(money="100")
        placed = [self.client.order(user, 1, description=f"number {number}")["id"] for number in range(60)]
        for order in placed:
            self.client.settled(order)
        self.browser.reload()
        self.browser.wait_text("#orders-more", "Show older")
        self.assertEqual(len(self.browser.texts(".order")), 25)
        for count in (50, 60):
            self.browser.click("#orders-more")
            eventually(lambda: len(self.browser.texts(".order")), lambda seen: seen == count, f"{count} orders", 30)
        names = [row.split("\n")[0] for row in self.browser.texts(".order")]
        self.assertEqual(names, [f"number {number}" for number in reversed(range(60))])
        self.browser.wait_shown("#orders-more", False)
        self.browser.click("#tab-entries")
        for count in (25, 50, 61):
            eventually(lambda: len(self.browser.texts("#entries tr")), lambda seen: seen == count, f"{count} rows", 30)
            if count < 61:
                self.browser.click("#entries-more")
        self.browser.wait_shown("#entries-more", False)

    # Once is once

    def test_a_double_click_is_one_deposit_and_one_order(self) -> None:
        user = self.open_account()
        self.browser.fill("#deposit-amount", "100")
        self.browser.double_click(DEPOSIT)
        self.browser.wait_text("#balance", "100.00")
        self.browser.fill("#order-amount", "30")
        self.browser.double_click(ORDER)
        self.wait_order("Untitled order", "Paid")
        # And twice in one turn of the page, which no person is quick enough for.
        self.browser.fill("#deposit-amount", "100")
        self.browser.fill("#order-amount", "30")
        self.browser.script(
            "for (const id of ['deposit-form', 'order-form', 'deposit-form', 'order-form'])"
            " document.getElementById(id).requestSubmit()"
        )
        self.browser.wait_text("#balance", "140.00")
        self.assertEqual(self.amounts(user), [3000, 3000])
        self.assertEqual([text for text in self.browser.texts("main .error") if text], [])

    def test_what_got_no_answer_is_sent_again_as_the_same(self) -> None:
        with Between(self.system.address) as between:
            self.begin(between.url)
            user = self.open_account()
            between.lose_answers(2)
            self.top_up("100")
            between.lose_answers(2)
            self.order("Tea", "30")
            self.assertEqual(between.answers_to_lose, 0)
            self.wait_order("Tea", "Paid")
            # Also when whoever it was gave up and came back.
            between.lose_answers(1000)
            self.browser.fill("#order-description", "Sugar")
            self.browser.fill("#order-amount", "20")
            self.browser.click(ORDER)
            eventually(lambda: between.answers_to_lose, lambda left: left < 1000, "an answer to be lost", 30)
            self.browser.reload()
            between.lose_answers(0)
            self.browser.wait_text("#live", "Live")
            self.order("Sugar", "20")
            self.wait_order("Sugar", "Paid")
            self.browser.wait_text("#balance", "50.00")
        self.assertEqual(self.amounts(user), [2000, 3000])

    def test_ids_stay_until_there_is_an_answer(self) -> None:
        ids = self.browser.script(
            """const { Draft } = await import("/page/drafts.js");
            const idOf = (name, x) => new Draft(name).idFor({ x });
            const ids = [idOf("a", 1), idOf("a", 1), idOf("b", 1), idOf("a", 2)];
            new Draft("a").clear();
            return [...ids, idOf("a", 2)];"""
        )
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(len(set(ids)), 4)
        self.assertEqual({uuid.UUID(made).version for made in ids}, {7})

    # Lost and found

    def test_it_catches_up_after_a_restart_of_the_gateway(self) -> None:
        user = self.open_account(money="100")
        self.order("before", "10")
        self.wait_order("before", "Paid")
        self.system.kill("gateway")
        self.browser.wait_text("#notice", "Connection lost. Reconnecting")
        self.browser.wait_text("#live", "Not live")
        request = {"userId": user, "amount": 2000, "description": "meanwhile"}
        self.system.client_tool("call", "Orders.CreateOrder", json.dumps(request))
        self.browser.fill("#order-description", "patient")
        self.browser.fill("#order-amount", "5")
        self.browser.click(ORDER)
        self.browser.wait_text("#order-form .status", "No answer yet")
        self.system.up()
        self.send_until_taken()
        self.wait_order("meanwhile", "Paid", "20.00")
        self.wait_order("patient", "Paid", "5.00")
        self.browser.wait_text("#balance", "65.00")
        self.browser.wait_shown("#notice", False)
        self.browser.wait_text("#live", "Live")
        self.assertEqual(sorted(self.amounts(user)), [500, 1000, 2000])

    def test_it_is_followed_from_where_it_ended(self) -> None:
        """However the bytes of a stream of events are cut, they are the same events."""
        stream = ': hello\r\n\r\nid: 1\rdata: {"a":\ndata: "чай"}\n\nretry: 10\n\n'
        stream += "event: error\ndata\n\n\r\ndata:last\n\ndata: cut"
        events = self.browser.script(
            """const { eventsOf } = await import("/page/live.js");
            const bytes = new TextEncoder().encode(arguments[0]);
            const all = [];
            for (let size = 1; size <= bytes.length; size += 1) {
              const pieces = [];
              for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
              const stream = new ReadableStream({
                start(controller) { pieces.forEach((piece) => controller.enqueue(piece)); controller.close(); },
              });
              const events = [];
              for await (const event of eventsOf(stream)) events.push(event);
              all.push(events);
            }
            return all;""",
            stream,
        )
        expected = [{"id": "1", "data": '{"a":\n"чай"}'}, {"event": "error", "data": ""}, {"data": "last"}]
        self.assertEqual(events, [expected] * len(stream.encode()))

    # Money

    def test_amounts_are_exact(self) -> None:
        good = {
            ("0.01", "RUB"): 1,
            ("12,5", "RUB"): 1250,
            ("12.", "RUB"): 1200,
            (".5", "RUB"): 50,
            ("1 200.07", "RUB"): 120007,
            ("1\u00a0200,07", "RUB"): 120007,
            ("007", "RUB"): 700,
            ("0.29", "RUB"): 29,
            ("1.005", "KWD"): 1005,
            ("1.0005", "CLF"): 10005,
            ("1200", "JPY"): 1200,
            ("90071992547409.91", "RUB"): 2**53 - 1,
            ("9007199254740991", "JPY"): 2**53 - 1,
        }
        bad = ["", " ", "0", "0.00", "-1", "+1", "1e3", "1.234", "1,200.50", "1.2.3", ".", "x", "½", "٣"]
        bad += ["90071992547409.92", "9" * 400, "0x10", "Infinity"]
        wrong = [(text, "RUB") for text in bad] + [("1.5", "JPY"), ("1.2345", "KWD")]
        answers = self.browser.script(
            """const { parseAmount } = await import("/page/money.js");
            return arguments[0].map(([text, currency]) => {
              try { return parseAmount(text, currency); } catch (error) { return error.message; }
            });""",
            [*good, *wrong],
        )
        self.assertEqual(answers[: len(good)], list(good.values()))
        for (text, currency), answer in zip(wrong, answers[len(good) :]):
            self.assertRegex(str(answer), r"^(Enter|[A-Z]{3} has) .*\.$", f"{text} {currency}")

    def test_amounts_are_shown_with_all_their_digits(self) -> None:
        amounts = {
            (2**53 - 1, "RUB"): "₽90,071,992,547,409.91",
            (-5, "RUB"): "−₽0.05",
            (1200, "JPY"): "¥1,200",
            (1005, "KWD"): "KWD\u00a01.005",
            (7, "CLF"): "CLF\u00a00.0007",
            # Where browsers know no decimals, ISO 4217 has some.
            (150, "HUF"): "Ft\u00a01.50",
            (1500, "IQD"): "IQD\u00a01.500",
        }
        shown = self.browser.script(
            """const { formatAmount } = await import("/page/money.js");
            return arguments[0].map(([minor, currency]) => formatAmount(minor, currency));""",
            list(amounts),
        )
        self.assertEqual(shown, list(amounts.values()))

    def test_accounts_in_other_currencies_take_their_decimals(self) -> None:
        user = self.open_account(currency="JPY", money="1500")
        self.browser.wait_text("#balance", "¥1,500")
        self.browser.fill("#order-amount", "10.5")
        self.browser.click(ORDER)
        self.browser.wait_text("#order-error", "JPY has no decimals")
        self.order("Tea", "100")
        self.wait_order("Tea", "Paid", "¥100")
        self.assertEqual(self.client.balance(user), 1400)

    # Words

    def test_what_is_wrong_is_told_at_its_field(self) -> None:
        user = self.open_account(money="90071992547409.91")
        for text, words in {"": "Enter an amount.", "0": "above zero", "abc": "such as 12.50"}.items():
            self.browser.fill("#order-amount", text)
            self.browser.click(ORDER)
            self.browser.wait_text("#order-error", words)
            self.browser.wait_focused("order-amount")
        self.assertTrue(self.browser.script("return document.getElementById('order-amount').ariaInvalid === 'true'"))
        self.browser.fill("#order-amount", "1")
        self.assertEqual(self.browser.text("#order-error"), "")
        self.browser.fill("#deposit-amount", "1")
        self.browser.click(DEPOSIT)
        self.browser.wait_text("#deposit-form [data-part=problem]", "more than fits")
        # What the page lets pass and the API does not.
        self.browser.script("document.getElementById('order-description').value = 'x'.repeat(1001)")
        self.browser.click(ORDER)
        self.browser.wait_text("#order-description-error", "1,000 characters")
        self.browser.wait_focused("order-description")
        self.assertEqual(self.amounts(user), [])

    # Who

    def test_it_remembers_its_users_and_switches(self) -> None:
        anna = self.open_account("Anna", money="100")
        self.browser.reload()
        self.browser.wait_text("#user-button", "Anna")
        self.browser.wait_text("#balance", "100.00")
        self.browser.click("#user-button")
        self.browser.click("#users-add")
        self.browser.wait_focused("open-title")
        boris = self.open_account("Boris")
        self.browser.wait_text("#balance", "0.00")
        self.browser.click("#user-button")
        self.assertEqual(len(self.browser.texts("#users li")), 2)
        self.assertIn("Boris", self.browser.text("#users [aria-current=true]"))
        self.browser.click("#users li:nth-child(2) .choose")
        self.browser.wait_text("#user-button", "Anna")
        self.browser.wait_text("#balance", "100.00")
        self.client.order(boris, 1)
        self.client.order(anna, 1, description="hers")
        self.wait_order("hers", "Paid")
        self.assertEqual(len(self.browser.texts(".order")), 1)

        self.browser.click("#user-button")
        self.browser.click("#users li:nth-child(1) [data-part=forget]")
        self.browser.wait_text("#user-button", "Boris")
        self.browser.click("#users li:nth-child(1) [data-part=forget]")
        self.browser.wait_shown("#open-form")
        self.assertFalse(self.browser.is_shown("#user-button"))

        self.browser.click("summary")
        self.browser.fill("#use-id", "nonsense")
        self.browser.click("#use-form [type=submit]")
        self.browser.wait_text("#use-id-error", "36 characters")
        self.browser.fill("#use-id", str(uuid.uuid4()))
        self.browser.click("#use-form [type=submit]")
        self.browser.wait_text("#use-id-error", "no account with this number")
        self.browser.fill("#use-id", anna)
        self.browser.click("#use-form [type=submit]")
        self.browser.wait_text("#balance", "99.99")

    def test_an_account_that_the_shop_does_not_know_can_be_opened(self) -> None:
        user = str(uuid.uuid4())
        self.remember(user, "Stranger")
        self.browser.wait_text("#account-unknown", "does not know this account")
        self.browser.click("#account-open")
        self.browser.wait_text("#balance", "0.00")
        self.assertEqual(self.client.balance(user), 0)

    def remember(self, user: str, name: str) -> None:
        """Makes the browser remember somebody as if they had been here before."""
        self.browser.script(
            "localStorage.setItem('gozon.users', JSON.stringify([{ id: arguments[0], name: arguments[1] }]));"
            "localStorage.setItem('gozon.user', arguments[0])",
            user,
            name,
        )
        self.browser.reload()

    def test_where_a_token_is_wanted_it_is_asked_for_once(self) -> None:
        anna, key = str(uuid.uuid4()), os.urandom(32)
        self.begin(f"http://{self.guarded_gateway(key)}/")
        self.browser.fill("#open-name", "Anna")
        self.browser.click("#open-form [type=submit]")
        self.browser.wait_text("#token-text", "wants a token")
        for wrong in ("nonsense", _token(os.urandom(32), anna)):
            self.browser.fill("#token", wrong)
            self.browser.click("#token-form [type=submit]")
            self.browser.wait_text("#token-text", "did not take this token")
        # The account is that of the token, not one with an id of the page's.
        self.browser.fill("#token", f"Bearer {_token(key, anna)}")
        self.browser.click("#token-form [type=submit]")
        self.browser.wait_text("#live", "Live")
        self.assertEqual(self.browser.script("return localStorage.getItem('gozon.user')"), anna)
        self.browser.reload()
        self.browser.wait_text("#live", "Live")
        self.assertFalse(self.browser.is_shown("#token-dialog"))
        self.top_up("5")
        self.order("Tea", "5")
        self.wait_order("Tea", "Paid")

        self.browser.click("#user-button")
        self.browser.click("#users-token")
        self.browser.wait_text("#token-text", "wants a token")
        self.browser.press("Escape")
        self.browser.wait_text("#notice", "wants a token", "Enter a token")
        self.browser.click("#notice button")
        self.browser.fill("#token", _token(key, str(uuid.uuid4())))
        self.browser.press("Enter")
        self.browser.wait_text("#notice", "does not allow this", "Enter a token")
        self.browser.click("#notice button")
        self.browser.fill("#token", _token(key, anna))
        self.browser.press("Enter")
        self.browser.wait_text("#live", "Live")
        self.browser.wait_shown("#notice", False)

    def guarded_gateway(self, key: bytes) -> str:
        """Starts another gateway, which wants tokens that are signed with a key; its address."""
        keys = self.system.home.path / "keys.json"
        keys.write_text(json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": _base64url(key)}]}))
        parts, port = self.system.parts, any_free_port()
        program = parts.gateway(port, any_free_port({port}), parts.backends, name="gateway-2")
        program = dataclasses.replace(program, environment={"GOZON_AUTH_JWKS": str(keys)})
        child = program.start()
        self.addCleanup(child.wait)
        self.addCleanup(program.process.stop)
        program.wait_ready(child)
        return f"127.0.0.1:{port}"

    # For everybody

    def test_the_keyboard_is_enough(self) -> None:
        browser = self.browser
        browser.press("Tab")
        browser.wait_focused("Skip to the content")
        browser.press("Enter", "Tab", "Anna", "Tab", "Tab", "Enter")
        browser.wait_text("#live", "Live")
        browser.wait_focused("deposit-amount")
        browser.press("500", "Enter")
        browser.wait_text("#balance", "500.00")
        browser.wait_focused("deposit-amount")
        browser.press("Tab", "Tab")
        browser.wait_focused("order-description")
        browser.press("Tea", "Tab", "20", "Enter")
        self.wait_order("Tea", "Paid")
        browser.wait_focused("order-description")
        browser.press("Tab", "Tab", "Tab")
        browser.wait_focused("tab-orders")
        browser.press("ArrowRight")
        browser.wait_focused("tab-entries")
        browser.wait_text("#entries", "Tea")
        browser.press("ArrowRight", "Tab")
        browser.wait_focused("Tea")
        browser.press("Enter")
        browser.wait_text(".timeline", "Paid from the account")
        browser.press("Tab")
        browser.wait_focused("Cancel and refund")
        browser.press("Space")
        browser.wait_shown("#confirm-dialog")
        browser.wait_focused("Keep the order")
        browser.press("Escape")
        browser.wait_focused("Cancel and refund")
        browser.press("Space", "Shift+Tab")
        browser.wait_focused("confirm-yes")
        browser.press("Enter")
        self.wait_order("Tea", "Refunded")
        browser.wait_focused("Tea")
        outline = browser.script("return getComputedStyle(document.activeElement, '::after').outlineStyle")
        self.assertEqual(outline, "solid")

    def test_changes_are_spoken(self) -> None:
        user = self.open_account(money="100")
        self.client.order(user, 2000, description="Tea")
        self.browser.wait_text("#announcer", "Tea, ₽20.00: Paid")
        for selector in ("#deposit-form", "#order-form"):
            self.assertEqual(len(self.browser.texts(f"{selector} [role=status]")), 1)

    def test_nothing_moves_for_those_who_want_no_motion(self) -> None:
        self.browser.prefer(reduced_motion="reduce")
        self.open_account(money="100")
        self.order("Tea", "20")
        self.wait_order("Tea", "Paid")
        moving = self.browser.script(
            "return document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime > 50).length"
        )
        self.assertEqual(moving, 0)

    def test_it_is_accessible_however_it_looks(self) -> None:
        """axe-core finds nothing in any state; with GOZON_SCREENSHOTS, what was looked at is kept there."""
        self.look("welcome")
        self.open_account()
        self.look("empty")
        self.browser.fill("#deposit-amount", "1,5,0")
        self.browser.click(DEPOSIT)
        self.browser.fill("#order-description", "Samovar")
        self.browser.fill("#order-amount", "0")
        self.browser.click(ORDER)
        self.look("error")
        self.top_up("1500")
        for description, price in {
            "Darjeeling, second flush, 250 g": "420",
            "Samovar with an engraved tray": "24900",
            "Sugar": "64.90",
            "Cup and saucer": "310",
        }.items():
            self.order(description, price)
            self.wait_order(description, "Not paid" if price == "24900" else "Paid")
        self.browser.click(".order:nth-child(2) .toggle")
        self.browser.wait_text(".order:nth-child(2) .timeline", "Paid from the account")
        self.browser.click(".order:nth-child(2) [data-part=cancel]")
        self.look("question")
        self.browser.click("#confirm-yes")
        self.wait_order("Sugar", "Refunded")
        self.browser.wait_text(".order:nth-child(2) .timeline", "Money given back")
        self.look("orders")
        self.browser.click("#tab-entries")
        self.browser.wait_text("#entries", "Refund: Sugar")
        self.look("statement")
        self.browser.click("#user-button")
        self.look("accounts")
        self.browser.press("Escape")
        self.browser.click("#tab-orders")

        gateway = self.system.process("gateway").pid()
        os.kill(gateway, signal.SIGSTOP)
        try:
            self.browser.fill("#order-amount", "30")
            self.browser.click(ORDER)
            # Until the first attempt is given up, and after that.
            told = ("longer than usual", "No answer yet")
            eventually(
                lambda: self.browser.text("#order-form .status"),
                lambda text: any(words in text for words in told),
                "the page to say that it takes long",
                30,
            )
            self.look("busy")
        finally:
            os.kill(gateway, signal.SIGCONT)
        self.send_until_taken()
        self.system.kill("gateway")
        self.browser.wait_text("#notice", "Reconnecting")
        self.look("lost")
        self.system.up()
        self.browser.wait_text("#live", "Live")
        self.remember(str(uuid.uuid4()), "Stranger")
        self.browser.wait_shown("#account-unknown")
        self.look("unknown")
        self.browser.script(
            "import('/page/dialogs.js').then((dialogs) => { dialogs.askForToken(false) })",
        )
        self.browser.wait_shown("#token-dialog")
        self.look("token")

    def look(self, state: str) -> None:
        """Checks the page as it stands in each of its looks."""
        for look, (features, size) in LOOKS.items():
            self.browser.size(*size)
            self.browser.prefer(reduced_motion="reduce", **features)
            # The frame after the next one is painted with that.
            self.browser.script(
                "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            with self.subTest(state=state, look=look):
                if directory := os.environ.get("GOZON_SCREENSHOTS"):
                    (Path(directory) / f"{state}-{look}.png").write_bytes(self.browser.screenshot())
                self.assertEqual(self.violations(), [])
                wide = self.browser.script("return document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(wide, 0, "it is wider than the window")
        self.browser.size(*LOOKS["light"][1])
        self.browser.prefer(color_scheme="light")

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and its best practices, with the elements."""
        if not self.browser.script("return 'axe' in window"):
            self.browser.script(axe_script().read_text())
        found = self.browser.script("return (await axe.run(document, { resultTypes: ['violations'] })).violations")
        return [f"{rule['id']}: {node['failureSummary']} {node['html']}" for rule in found for node in rule["nodes"]]


def _token(key: bytes, subject: str) -> str:
    """A JSON Web Token (RFC 7519) for a subject, good for an hour."""
    claims = {"sub": subject, "exp": int(time.time()) + 3600}
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), 'sha256'))}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
