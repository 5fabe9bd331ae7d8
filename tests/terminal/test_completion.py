"""The TAB key at a real terminal. What is offered where: tests/script/t-complete.lua has the cases; here is the way to it."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import Session  # noqa: E402


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session("-q", columns=80, lines=60)

    @classmethod
    def tearDownClass(cls):
        cls.session.__exit__()

    def setUp(self):
        self.session.send("\x03")
        self.session.wait_prompt()
        self.session.screen.reset()
        self.session.send("\x03")
        self.session.wait_prompt()

    def completes(self, typed, line):
        self.session.send(typed + "\t")
        self.session.wait_line("rhm> " + line)

    def lists(self, typed, *words):
        """A second TAB lists the choices, and the line stays."""
        self.session.send(typed + "\t\t")
        for word in words:
            self.session.wait(lambda w=word: w in self.session.text().split(), word)
        self.session.wait_line("rhm> " + typed)

    def test_global(self):
        self.completes("setmeta", "setmetatable(")

    def test_keyword(self):
        self.completes("whil", "while")

    def test_field(self):
        self.completes("x = rhm.gram", "x = rhm.grammar{")

    def test_list(self):
        self.lists("string.re", "rep(", "reverse(")

    def test_object(self):
        self.session.run("g = rhm.grammar{ V=8, m=4, s=2, L=3 }")
        self.completes("g:sched", "g:schedule{")

    def test_object_field(self):
        self.session.run("g = rhm.grammar{ V=8, m=4, s=2, L=3 }")
        self.lists("g.c", "check(", "classes")

    def test_keys_of_constructor(self):
        self.completes("rhm.grammar{ V=8, cla", "rhm.grammar{ V=8, classes=")

    def test_keys_on_a_second_line(self):
        self.session.run("g = rhm.grammar{ V=8,", prompt="...> ")
        self.session.send("ens\t")
        self.session.wait_line("...> ensemble=")

    def test_module(self):
        self.completes('require "rhm.man', 'require "rhm.manual"')

    def test_topic(self):
        self.completes('help "layer:syn', 'help "layer:synonyms"')

    def test_file(self):
        folder = os.path.join(self.session.home, "data folder")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "größe.csv"), "w"):
            pass
        self.completes("rhm.dataset('data", "rhm.dataset('data folder/")
        self.session.send("\t")
        self.session.wait_line("rhm> rhm.dataset('data folder/größe.csv'")

    def test_no_metamethod_runs(self):
        self.session.run("ran = 0")
        self.session.run("trap = setmetatable({}, { __index = function() ran = ran + 1 end, "
                         "__pairs = function() ran = ran + 1 end })")
        self.session.send("trap.x.\t\ttrap.\t\t.")
        self.session.wait_line("rhm> trap.x.trap..")
        self.session.send("\x03")
        self.session.wait_prompt()
        self.assertEqual(self.session.run("ran"), "0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
