"""What a learner's function may be or do: one clear message at its line, and the right status.

Each row runs the real command. `tests/workspace.py` asserts after each that nothing was lost and
nothing is left running. A row's `# here` marks the line that must be named; without it, it is
the line of the definition.
"""

import pytest

from tests.workspace import HEAD, LAB, RIGHT, body, only, with_stage_1

DEF = "def pair_counts(ids):\n"
ENDS, REPLACES = "ends the program", "your code replaces"
WRONG = [
    # what it returns
    ("no body", only("pass"), "is a return missing?"),
    ("None", only("return None"), "is a return missing?"),
    ("a number", only("return 7"), "got int: 7, expected a dict"),
    ("nan", only("return float('nan')"), "got float: nan"),
    ("nan inside", only("return {(5, 6): float('nan')}"), "(5, 6): nan"),
    ("other keys", only("return {'5, 6': 2}"), "expected   {(5, 6): 2"),
    ("a generator", only("yield 1"), "got generator: <generator"),
    ("a lambda", only("return lambda: 1"), "got function: <function"),
    ("a builtin", only("return print"), "expected a dict"),
    ("NotImplemented", only("return NotImplemented"), "got NotImplementedType: NotImplemented"),
    ("the class itself", only("return dict"), "got type: <class 'dict'>"),
    ("a list that holds itself", only("x = []", "x.append(x)", "return x"), "got list: [[...]]"),
    ("a dict that holds itself", only("x = {}", "x[1] = x", "return x"), "contains itself"),
    ("a list 100 000 deep", only("x = []", "for _ in range(10**5): x = [x]", "return x"), "got list: a list whose repr raises RecursionError"),
    ("a class that cannot be shown", only("class A(list):", "    def __repr__(self): raise ValueError", "return A()"), "whose repr raises ValueError"),
    ("a class that cannot be compared", only("class A(dict):", "    def __eq__(self, other): raise ValueError('eq')  # here", "return A()"), "ValueError: eq"),
    ("100 000 items", only("return dict.fromkeys(range(10**5), 0)"), "no entry for (5, 6)"),
    ("text with control characters", only("return '\\x1b[2J\\x07'"), r"'\x1b[2J\x07'"),
    # what it raises
    ("sys.exit", only("import sys", "sys.exit()  # here"), ENDS),
    ("SystemExit 0", only("raise SystemExit(0)  # here"), ENDS),
    ("exit()", only("exit()  # here"), ENDS),
    ("quit(0)", only("quit(0)  # here"), ENDS),
    ("input()", only("input()  # here"), "reads from input()"),
    ("KeyboardInterrupt", only("raise KeyboardInterrupt  # here"), "interrupted"),
    ("Exception", only("raise Exception  # here"), "stage 1: Exception ["),
    ("BaseException", only("raise BaseException('x')  # here"), "BaseException: x"),
    ("GeneratorExit", only("raise GeneratorExit  # here"), "GeneratorExit"),
    ("StopIteration", only("raise StopIteration  # here"), "StopIteration"),
    ("a text of 5000 letters", only("raise ValueError('é' * 5000)  # here"), "ValueError: éé"),
    ("an exception without text", only("class E(Exception):", "    def __str__(self): raise ValueError", "raise E  # here"), "E: (its text cannot be shown: ValueError)"),
    ("control characters in the text", only("raise ValueError('\\x1b[31mred\\nblue')  # here"), r"ValueError: \x1b[31mred blue"),
    ("NotImplementedError", only("raise NotImplementedError('later')  # here"), "NotImplementedError: later"),
    ("the stub's last line left", HEAD + RIGHT.replace("return ", "counts = ") + "    raise NotImplementedError('stage 1: pair_counts')  # here\n", "the stub's last line is still there"),
    ("a division by zero", only("return 1 / 0  # here"), "ZeroDivisionError: division by zero"),
    ("no such attribute", only("return ids.shape  # here"), "AttributeError"),
    ("no such name", only("return idz  # here"), "NameError: name 'idz' is not defined"),
    ("no such module", only("import nowhere  # here"), "ModuleNotFoundError: No module named 'nowhere'"),
    ("a failed assertion", only("assert not ids  # here"), "AssertionError"),
    ("no such file", only("return open('/no/such/file')  # here"), "FileNotFoundError"),
    ("endless recursion", only("return pair_counts(ids)  # here"), "calls itself without reaching an end"),
    ("a variable of a cell", only("return merges  # here"), "merges, a variable made in a cell"),
    ("the check's own exception", only("from checks.expect import CheckFailed", "raise CheckFailed('a', 'b', 'c')"), "a: got b, expected c"),
    ("the follower's exception", only("from checks.expect import Differs", "raise Differs  # here"), "Differs"),
    ("a solution", only("return solution_pair_counts(ids)"), "calls solution_pair_counts: write it yourself"),
    # how it is defined
    ("renamed", "def count_pairs(ids):\n" + RIGHT, "was it renamed to count_pairs?"),
    ("no parameter", "def pair_counts():\n    return {}", "its contract is (ids)"),
    ("a parameter too many", "def pair_counts(ids, depth):\n    return {}", "its contract is (ids)"),
    ("keyword only", "def pair_counts(ids, *, depth):\n    return {}", "its contract is (ids)"),
    ("any arguments", "def pair_counts(*ids):\n    return {}", "expected   {(5, 6): 2"),
    ("async", "async " + DEF + RIGHT, "is an `async def`"),
    ("a class", "class pair_counts(dict):\n    pass", "TypeError"),
    ("a class without arguments", "class pair_counts:\n    pass", "TypeError: pair_counts() takes no arguments"),
    ("a decorator that is not there", "@undefined  # here\n" + DEF + RIGHT, "NameError: name 'undefined' is not defined"),
    ("a decorator that gives nothing", "@print\n" + DEF + RIGHT, "TypeError: 'NoneType' object is not callable"),
    ("a default that raises", "def pair_counts(ids=1 / 0):  # here\n" + RIGHT, "ZeroDivisionError"),
    # what it changes
    ("its input, longer", body("ids.append(1)"), "(7, 1): 1"),
    ("its input, emptied", body("ids.clear()"), "got        {}"),
    ("its input, at last", HEAD + "    counts = dict(Counter(zip(ids, ids[1:])))\n    ids[:] = []\n    return counts", "the caller's own data became []"),
    ("builtins.dict", body("import builtins", "builtins.dict = list"), f"{REPLACES} builtins.dict"),
    ("builtins.len, deleted", body("import builtins", "del builtins.len"), f"{REPLACES} builtins.len"),
    ("os.environ", body("import os", "os.environ = {}"), f"{REPLACES} os.environ"),
    ("sys.exc_info", body("import sys", "sys.exc_info = None"), f"{REPLACES} sys.exc_info"),
    ("sys.modules, emptied", body("import sys", "sys.modules.clear()"), f"{REPLACES} sys.modules["),
    ("collections.Counter", body("import collections", "collections.Counter = dict"), f"{REPLACES} collections.Counter"),
    ("the check's equal", only("from checks import expect", "expect.equal = print", "return {}"), f"{REPLACES} checks.expect.equal"),
    ("the check's values", only("from checks import values", "values.equal = lambda *a: True", "return {}"), f"{REPLACES} checks.values.equal"),
    ("the check's oracle", body("from checks.lab_3_bpe import stages", "stages.slow_pair_counts = pair_counts"), f"{REPLACES} checks.lab_3_bpe.stages.slow_pair_counts"),
]  # fmt: skip
UNREADABLE = [
    ("a bracket left open", DEF + "    return Counter(zip(ids, ids[1:])", "was never closed"),
    ("a tab after spaces", DEF + "\treturn 1\n        return 2", "does not parse"),
    ("an indent that fits none", DEF + "  return 1\n    return 2", "unexpected indent"),
    ("a quote left open", DEF + "    return '  # here", "unterminated string literal"),
    ("no indent", DEF + "return 1  # here", "expected an indented block"),
    ("no colon", "def pair_counts(ids)  # here\n    return 1", "expected ':'"),
    ("curly quotes", DEF + "    return \u201cquoted\u201d  # here", "invalid character"),
    ("Python 2", DEF + "    print 'two'  # here", "Missing parentheses"),
    ("an octal of old", DEF + "    x = 08  # here", "leading zeros"),
    ("a null character", DEF + "    return 1\x00", "null bytes"),
    ("return in no function", "return 1  # here", "'return' outside function"),
    ("await in no coroutine", DEF + "    await ids  # here", "'await' outside async function"),
    ("300 open brackets", DEF + "    " + "(" * 300, "too many nested parentheses"),
    ("5000 nested minus signs", DEF + "    return " + "-" * 5000 + "1", "does not parse"),
    ("merge conflict", DEF + "<<<<<<< HEAD\n" + RIGHT + "=======\n>>>>>>> theirs", "expected an indented block"),
]  # fmt: skip
ALLOWED = [
    ("a thread that ends", body("import threading", "t = threading.Thread(target=print)", "t.start()", "t.join()"), ""),
    ("a thread that raises", body("import threading", "t = threading.Thread(target=lambda: 1 / 0)", "t.start()", "t.join()"), "printed    Exception in thread"),
    ("a fork that ends", body("import os", "if os.fork() == 0:", "    os._exit(0)", "os.wait()"), ""),
    ("closed output", body("import os", "try: os.close(1)", "except OSError: pass"), ""),
    ("output set to nothing", body("import sys", "sys.stdout = sys.stderr = None"), ""),
    ("a lone surrogate printed", body("print('\\udcff')"), "printed    ?"),
    ("control characters printed", body("print('\\x1b[31mred\\x07')"), r"printed    \x1b[31mred\x07"),
    ("warnings", body("import warnings", "warnings.warn('careful')"), "printed"),
    ("a seed", body("import random", "random.seed(0)"), ""),
    ("no collector", body("import gc", "gc.disable()"), ""),
    ("a trace function", body("import sys", "sys.settrace(lambda *a: None)"), ""),
    ("an ignored SIGTERM", body("import signal", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"), ""),
    ("an exit handler", body("import atexit, os", "atexit.register(os._exit, 7)"), ""),
    ("os._exit replaced", body("import os", "os._exit = print"), ""),
    ("no more files", body("import resource", "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))"), ""),
    ("a constant of the lab", body("global PAPER", "PAPER = None"), ""),
    ("a global of its own", body("global SEEN", "SEEN = 1"), ""),
    ("os.chdir", body("import os", "os.chdir('/')"), "note       your code changes the working folder"),
    ("os.environ, emptied", body("import os", "os.environ.clear()"), "note       your code changes the environment"),
    ("sys.setrecursionlimit", body("import sys", "sys.setrecursionlimit(2000)"), "note       your code changes how deep calls may go"),
    ("a lambda", "pair_counts = lambda ids: Counter(zip(ids, ids[1:]))", ""),
    ("a default", "def pair_counts(ids, depth=0):\n" + RIGHT, ""),
    ("a subclass of dict", only("return Counter(zip(ids, ids[1:]))"), ""),
    ("two definitions, the last right", DEF + "    return {}\n\n\n" + DEF + RIGHT, "note       pair_counts is defined 2 times"),
]  # fmt: skip


def line_of(source, name="pair_counts"):
    """The line that a message must name: the marked one, or the definition's."""
    lines = with_stage_1(source).split("\n")
    marked = [at for at, line in enumerate(lines, 1) if line.endswith("# here")]
    defined = [at for at, line in enumerate(lines, 1) if line.startswith(("def", "async", "class"))]
    first = next(at for at in defined if at >= LAB.definition(name).line)
    return marked[0] if marked else first


def ids(rows):
    return [row[0] for row in rows]


@pytest.mark.parametrize(("source", "words"), [row[1:] for row in WRONG], ids=ids(WRONG))
def test_a_bad_function_gets_its_own_words_at_its_line_and_status_one(home, source, words):
    home.put(source)
    done = home.checks("3", "1")
    assert done.status == 1, done
    first, *rest = done.out.splitlines()
    assert first.startswith(f"{LAB.relative}:{line_of(source)}:"), done
    assert first.endswith(" [lab-3/stage-1]") and len(first) < 320, done
    assert words in done.out and done.err == "", done
    assert done.out.count(": error: ") == 1 and rest[-1].startswith("  next  "), done
    assert home.journal.read_text().count("\n") == 1


@pytest.mark.parametrize(("source", "words"), [row[1:] for row in UNREADABLE], ids=ids(UNREADABLE))
def test_a_file_that_does_not_parse_is_status_two_and_no_attempt(home, source, words):
    home.file.write_text(with_stage_1(source), encoding="utf-8")
    done = home.checks("3", "1")
    assert done.status == 2 and done.out == "", done
    first, rest = done.err.splitlines()
    assert ": error: the file does not parse: " in first and words in first, done
    if "# here" in source:
        assert first.startswith(f"{LAB.relative}:{line_of(source)}:"), done
    assert rest.startswith("  next  ") and not home.journal.exists(), done


@pytest.mark.parametrize(("source", "words"), [row[1:] for row in ALLOWED], ids=ids(ALLOWED))
def test_what_a_right_function_does_beside_its_work_does_not_matter(home, source, words):
    home.put(source)
    done = home.checks("3", "1")
    assert done.status == 0 and done.err == "", done
    assert done.out.startswith("stage 1 passed: pair_counts. Next: stage 2"), done
    assert words in done.out, done


def test_pair_counts_that_is_no_function_is_missing(home):
    for source in ("pair_counts = 7", "pair_counts = None", "", "import math as pair_counts"):
        home.put(source)
        done = home.checks("3", "1")
        assert done.status == 1 and ": error: stage 1: " in done.out, done
