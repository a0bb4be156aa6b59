# %% [markdown]
# # Lab 5 · Mini-RAG retrieval
#
# **You build** the R of RAG: a TF-IDF retriever over forty notes with answer keys, the
# metrics that judge it, an SVD "embedding" retriever, their fusion by RRF, a chunking
# experiment, and at last BM25 with error bars.
# **Concepts**: retrieval quality is measurable; keywords and meaning fail on different
# questions. **Pairs with**: Course ch20 (RAG). **Time**: 3 to 4 hours.
#
# **Legend.** `N` notes, `V` words in the vocabulary, `Q` queries, `C` chunks, `k` a depth
# (the `k` of recall@k), a number of components (SVD) or a constant (RRF): each stage says
# which. *df*: in how many notes a word stands. A *ranking* is a list of note ids, best first.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import re
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from checks.lab_5_mini_rag import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

# %% [markdown]
# ## The notes
#
# A repair shop in a harbour town mends eight things. For each of them there are five notes:
# two by customers, two by the workshop, and one by Ines at the counter, who speaks both
# languages. A customer's gears grind; the workshop indexes a derailleur. Nowhere is it
# written that the two are the same. Notes 0 to 4 are about the bicycle, 5 to 9 about the coffee
# machine, and so on; the third and fourth note of each five are the workshop's, the fifth
# is Ines's. Read a few: you will judge a search engine by them.

# %%
NOTES = """
My bike is a Sparrow, and since Monday the chain jumps whenever I pedal up the hill to school. The
gears grind, I pedal harder, the chain jumps again, and children on foot overtake their own
teacher. The Sparrow says E-4021 and nothing else. A puncture I would mend myself, but gears that
grind are beyond me, and the hill gets no lower.

The brakes of my Sparrow squeal so loudly that the baker steps out to look. I oiled them, which
was a mistake: now the Sparrow squeals and does not stop. Yesterday I used both feet and a hedge.
Make the brakes quiet if you can, but above all make the bike stop, because the road to the
harbour ends in the harbour.

Sparrow on the stand. Derailleur hanger bent four millimetres inboard, so the cassette skipped
under load. Straightened the hanger, indexed the derailleur, replaced the shift cable and the two
smallest sprockets of the cassette, part P-1107. Drivetrain runs true in every ratio. Whoever
leans a Sparrow against a wall on its derailleur side will see us again.

Sparrow, front end. Rotor and pads contaminated with lubricant, friction close to nil. Degreased
the rotor with alcohol, fitted sintered pads, centred the caliper over the rotor and bedded it in
with twenty hard decelerations. Resonance gone. A Sparrow rotor takes no lubricant, ever; the
caliper takes mineral fluid S-220 and no other.

A Sparrow came in whose gears grind and whose chain jumps, and left with a straight derailleur and
a new cassette. The next one had brakes that squeal: the caliper sat crooked over an oily rotor.
One Sparrow, two languages. You pedal and the chain moves; the workshop loads a drivetrain. Both
are right, and only one of them has clean hands.

Every cup from the Aurelia is bitter now. I buy good beans, I warm the cup, I say kind words, and
the coffee is still bitter, as if it had been brewed from the evening paper. My aunt took one sip
of the coffee and asked for tea, which has never happened in this family. The Aurelia shows a
small red light, and beside it H-310.

Milk used to turn to foam. Now the Aurelia coughs, and the coffee comes out in drips, so that one
cup takes as long as the news. When the cup is full the coffee is cold, and weak, and the foam is
a puddle with ambitions. I have shaken the Aurelia. Shaking helped with the neighbour's.

Aurelia, over-extraction. Burrs of the grinder set two notches too fine: forty-five seconds for a
double espresso where twenty-eight are wanted. Opened the burrs, reset the dose to eighteen grams,
pulled six espresso shots to confirm the extraction. Aurelia burrs P-2040 are good for another
year. The sixth espresso was drunk in the line of duty.

Aurelia, low flow. Limescale throughout the group head, pump pressure down from nine bar to three.
Descaled twice, replaced the gasket of the group, part P-2093, and cleared the jet of the wand.
Espresso flow is back at nine bar. Our town's supply is hard: the limescale returns each season,
so an Aurelia group wants descaling each season too.

Bitter coffee is over-extraction: the grounds are too fine, so we open the burrs of the grinder
and the espresso runs faster. Coffee that comes in drips, into a cup that grows cold, is limescale
in the group head. Taste your Aurelia first and turn its screws second. An Aurelia forgives a
great deal, but it has never forgiven our taps.

The radiator in the bedroom is cold at the top and warm at the foot, which is the wrong way round
for somebody in bed. All night it gurgles. The rest of the house is warm, the Northwick hums in
the cellar as a Northwick should, and I lie under three blankets beside a radiator that sounds
like a man drinking soup.

At five each morning the Northwick wakes the house: a knock, then a bang, then silence, and the
radiator stays cold until noon. The Northwick blinks E-4012. My father says it is a ghost, my
mother says it is winter, and the dog now sleeps in the car. All we ask for is a warm house and no
more bangs.

Northwick, airlock in circuit two. Vented the manifold, raised the static pressure, balanced the
lockshield valves. The circulator had been pushing against trapped air since the autumn service,
which was ours. Replaced the automatic vent on the manifold, item V-075, free of charge. Flow
through this Northwick is now uniform, circuit two included.

Northwick, delayed ignition. Electrode gap five millimetres: gas collected before the spark, and
the burner lit with a detonation. Set the gap to three, cleaned burner and flue, replaced the
flame sensor, part P-3310. Ten ignitions, no detonation. The Northwick log shows one hundred and
four lockouts since October, every one of them before dawn.

A radiator that gurgles has an airlock, and a radiator that is cold at the top has the same one:
vent the manifold and it falls silent. A bang at dawn is ignition that comes late; the burner
collects gas and lights it all at once. Nobody should live with a Northwick that bangs. This
Northwick left a warm house, and the dog moved back in.

Our piano has been out of tune since we moved it beside the stove. My daughter can play four
songs, and each song now sounds like a fifth one. It is a Lindqvist, older than all of us, and it
was in tune for thirty years in a hall where nobody could feel their fingers. She would like to
play the Lindqvist on Sunday.

Three keys of the Lindqvist stick. I press one, it goes down, and it stays there thinking. I play
the waltz around the keys that stick, so the waltz has become a march. Last week a fourth began.
Inside the Lindqvist there is a label, L-1898, and a dead moth, and a pencil that belongs to none
of us.

Lindqvist, serial L-1889. Pitch forty cents low in the treble at twenty-two percent humidity: the
soundboard shrank and the pinblock let go. Raised the pitch in two passes, set the temperament
from A 440, fitted oversize tuning pins. A humidifier below the soundboard holds the Lindqvist at
forty-five percent, and with it the pinblock and the pitch.

Lindqvist action, out on the bench. Bushing felt swollen with humidity on four levers, friction
eleven grams over the limit. Eased the bushings, polished the balance pins, replaced the
moth-eaten hammer felt, set F-612, and regulated the action until each hammer repeats. Moths
prefer wool felt, and eat a Lindqvist from the bass upward.

A piano beside a stove goes out of tune because dry air shrinks the soundboard, and the pitch
falls with the humidity. Keys that stick are the opposite fault, damp felt in the bushings of the
action. So a Lindqvist is happiest where the people who play a Lindqvist are slightly
uncomfortable. I have stopped telling them.

I bought the Merope to see Saturn, and what I see is a potato. The moon is blurry, the stars are
blurry, and my brother sees the same potato with his glasses and without them. All was sharp until
the telescope fell over in the car. The night sky is clear. It is clear everywhere but inside the
Merope.

Stars will not stay. I point the Merope at a star, I call the children, and by the time the first
child looks, the star has left. The motor of the Merope hums, the handset shows T-505, and we have
seen a great deal of empty sky in good company, and one surprised owl. The moon left too, but more
slowly.

Merope, optical bench. Collimation lost: primary mirror tilted by one turn of a screw, coma over
half the field. Recollimated the primary with a laser, centred the secondary mirror, confirmed the
collimation on an artificial point source. Aperture and coatings undamaged. Transport clamp M-77
fitted, so that a Merope primary cannot shift again.

Merope, equatorial mount. Backlash of nine arcminutes in the worm, so tracking lagged behind the
sidereal rate. Shimmed the worm, greased the mount, loaded firmware W-1402 and trained the
periodic error. Tracking now holds four arcseconds over ten minutes, mirror on or off. Polar
alignment of a Merope mount remains the duty of its owner.

A Merope in which stars are blurry has lost its collimation: the primary mirror moved, usually in
a car, and a laser brings it home. Stars that will not stay mean a mount with backlash, and
tracking that lags behind the sky. Either is one afternoon's work. Saturn and the moon can wait;
they have been there longer than the Merope.

There is sea in my boat that ought to be outside of it. Every morning I find it over my boots, I
bail for twenty minutes, and by evening the boat leaks as before. She is a Gannet, she was my
uncle's, and he says that all boats leak a little. He says it from dry land. Please find the leak
before the leak and the Gannet find the bottom.

The engine of the Gannet smokes, then screams, then stops, always in front of the ferry. White
smoke, a hot smell, and B-909 on the dial. Twice this week I have rowed the Gannet home while the
passengers waved. A boat without an engine is a bath with a view, says my wife, who had wanted a
garden.

Gannet, hauled out. Packing of the stern gland worn, seepage of three litres an hour into the
bilge; hull sound below the waterline. Repacked the gland with flax, reel G-418, tightened it to
one drop a minute under way, renewed the float switch in the bilge. Hull moisture normal. Gannet
relaunched on the evening tide, bilge dry.

Gannet diesel, overheating. The impeller had shed four vanes, which sat in the heat exchanger;
exhaust elbow choked with carbon. Replaced the impeller, part P-7712, flushed the exchanger,
reamed the exhaust elbow, pumped the bilge. Gannet steady for an hour under load. Count the vanes
of an impeller that fails: none may stay missing.

A boat that leaks is seldom a broken boat. In a Gannet it is the stern gland: the packing wears,
the bilge fills, and the owner bails. An engine that smokes white and then stops has lost its
impeller, so nothing cools the exhaust. Bring the Gannet on Friday and she has a dry hull on
Monday, and an engine that only hums.

My bread does not rise. I knead the dough, I sing to it, I leave it in the Hestia overnight, and
in the morning the loaf is as heavy as a doorstop. We use one as a doorstop. My sister's bread
rises in a cardboard box on a windowsill, every loaf of it. I do not wish to discuss the Hestia
with my sister.

The Hestia burns the crust on the left and leaves it raw on the right, so each loaf is two half
loaves, and neither is a good one. I turn the bread, and then the crust burns on both sides. The
Hestia shows O-144 when it is hot. Our alarm now goes off before the bread goes in, to save time.

Hestia, proofing cabinet. Set point twenty-six degrees, measured nineteen. At nineteen a levain
needs twice its fermentation, so every batch went in underproofed, gluten tight, crumb closed.
Replaced the thermocouple of the cabinet, part P-8105, and held proofing at twenty-six for six
hours. Fermentation in the Hestia normal, crumb open, staff well fed.

Hestia, baking deck. Convection fan seized, one element open circuit: sixty kelvin between the two
ends of the deck. Replaced the element, part R-2210, freed the fan, sealed the cabinet and mapped
nine points of the deck, spread under six kelvin. Convection in the Hestia restored. The crumb of
the test batch was even from end to end.

A loaf that does not rise is underproofed: dough in a cool cabinet needs a longer fermentation,
and a levain cannot read the clock. Bread with a crust that burns on one side comes from a Hestia
whose convection fan has stopped over the deck. Neither is the baker's fault. I eat the evidence
from the Hestia, loaf by loaf; somebody must.

My bees left on Sunday. They poured out of the hive, sat in the vicar's pear tree for the length
of the sermon, and flew off towards the lighthouse. The Clover sent me a message, N-606, while I
was singing. There is honey in the hive, and there are hardly any bees. What did I do, and will
the bees come back to the Clover?

The Clover under my hive says that the honey weighs minus four kilos. I have tasted the honey, and
it is not negative. The bees are well, they sting me daily, and the hive was full when I looked.
Either the Clover is wrong or I owe the bees honey, and I would like to know before they ask for
it.

Clover, apiary visit. Colony absconded with the old queen: eleven capped queen cells, brood nest
congested, not one empty frame. Removed all but two cells, added a super and eight frames of
foundation, size F-1207. Clover reset; the colony will requeen itself in sixteen days. Inspect the
brood weekly in May, and give a colony space before it asks.

Clover, load cell. Drift of thirty-one kilograms after frost: condensation in the junction,
resistance off by a third. Dried the load cell, sealed it with gel, calibrated at zero and at
fifty, job C-3302. The Clover now agrees with our balance. Colony inspected in passing, brood
healthy, two mites a day on the tray, which is acceptable.

Bees leave when the hive is full: the colony raises a young queen, and the old queen takes half of
the bees to somebody's pear tree. Give the brood more frames in time, and the honey stays at home.
When a Clover says that honey weighs less than nothing, its load cell is wet. No Clover has ever
been known to sting.
"""

TOPICS = ["bicycle", "coffee", "heating", "piano", "telescope", "boat", "bread", "bees"]
DOCS = [" ".join(note.split()) for note in NOTES.strip().split("\n\n")]  # N = 40 strings

# %% [markdown]
# ## The questions and their keys
#
# Each question has a *key*: the ids of the notes that answer it. Three kinds, because an
# average over all questions hides what matters. A **keyword** question uses the words of its
# note. A **paraphrase** asks in the other party's words: the customer's, where the answer is
# the workshop's, or the reverse. A **code** is a part number or a fault, alone or with the
# name of the thing. `E-4021` and `E-4012` differ in the order of two digits, and so do two
# labels of pianos: codes do that.

# %%
QUERIES = [
    ("keyword", "derailleur hanger bent", {2}),
    ("keyword", "rotor pads contaminated with lubricant", {3}),
    ("keyword", "brakes squeal", {1, 4}),
    ("keyword", "grinder burrs too fine", {7, 9}),
    ("keyword", "replace the group gasket", {8}),
    ("keyword", "milk foam", {6}),
    ("keyword", "flame sensor and electrode gap", {13}),
    ("keyword", "radiator gurgles at night", {10}),
    ("keyword", "automatic vent on the manifold", {12}),
    ("keyword", "keys that stick", {16, 19}),
    ("keyword", "moth-eaten hammer felt", {18}),
    ("keyword", "tuning pins and pinblock", {17}),
    ("keyword", "Saturn is blurry in the telescope", {20}),
    ("keyword", "worm backlash", {23}),
    ("keyword", "laser for the secondary mirror", {22}),
    ("keyword", "stern gland packing", {27, 29}),
    ("keyword", "impeller vanes", {28}),
    ("keyword", "engine smokes in front of the ferry", {26}),
    ("keyword", "levain fermentation in the cabinet", {32, 34}),
    ("keyword", "convection fan seized", {33}),
    ("keyword", "crust burns on the left", {31}),
    ("keyword", "queen cells and brood", {37}),
    ("keyword", "load cell condensation", {38}),
    ("keyword", "pear tree", {35, 39}),
    ("paraphrase", "bike chain jumps, gears grind", {2}),
    ("paraphrase", "bike brakes squeal", {3}),
    ("paraphrase", "derailleur skips, cassette slips", {0}),
    ("paraphrase", "bitter coffee", {7}),
    ("paraphrase", "weak coffee, slow drips", {8}),
    ("paraphrase", "espresso over-extraction", {5}),
    ("paraphrase", "radiator gurgles", {12}),
    ("paraphrase", "loud bangs wake house", {13}),
    ("paraphrase", "burner ignition detonation", {11}),
    ("paraphrase", "piano tune wobbles", {17}),
    ("paraphrase", "piano keys stick", {18}),
    ("paraphrase", "pitch drops, soundboard shrinks", {15}),
    ("paraphrase", "blurry stars", {22}),
    ("paraphrase", "telescope loses stars", {23}),
    ("paraphrase", "primary mirror collimation", {20}),
    ("paraphrase", "boat leaks", {27}),
    ("paraphrase", "boat engine smokes", {28}),
    ("paraphrase", "bilge seepage, stern gland", {25}),
    ("paraphrase", "bread dough rises slowly", {32}),
    ("paraphrase", "loaf crust burns", {33}),
    ("paraphrase", "underproofed crumb", {30}),
    ("paraphrase", "bees fled hive", {37}),
    ("paraphrase", "honey weighed wrongly", {38}),
    ("paraphrase", "colony absconded, queen cells", {35}),
    ("code", "E-4021", {0}),
    ("code", "Sparrow P-1107", {2}),
    ("code", "S-220", {3}),
    ("code", "Aurelia H-310", {5}),
    ("code", "P-2040", {7}),
    ("code", "Aurelia P-2093", {8}),
    ("code", "E-4012", {11}),
    ("code", "Northwick V-075", {12}),
    ("code", "P-3310", {13}),
    ("code", "Lindqvist L-1898", {16}),
    ("code", "L-1889", {17}),
    ("code", "Lindqvist F-612", {18}),
    ("code", "T-505", {21}),
    ("code", "Merope M-77", {22}),
    ("code", "W-1402", {23}),
    ("code", "Gannet B-909", {26}),
    ("code", "G-418", {27}),
    ("code", "Gannet P-7712", {28}),
    ("code", "O-144", {31}),
    ("code", "Hestia P-8105", {32}),
    ("code", "R-2210", {33}),
    ("code", "Clover N-606", {35}),
    ("code", "F-1207", {37}),
    ("code", "Clover C-3302", {38}),
]
KINDS = ["keyword", "paraphrase", "code"]
RELEVANT = [key for _, _, key in QUERIES]
DEPTH = 10  # a ranking that is shown to anybody stops here

print(len(DOCS), "notes,", len(QUERIES), "questions")
print("note 13:", DOCS[13][:78], "...")

# %% [markdown]
# ## Stage 1 · TF-IDF: which words give a note away?
#
# Turn each note into a vector with one number per word, and a question into a vector of the
# same kind; the note whose vector points the same way is the answer. A word counts more the
# more often it stands in the text (*term frequency*, tf) and the fewer notes have it
# (*inverse document frequency*, idf):
#
# $$\mathrm{idf}(w) = \ln\frac{1+N}{1+\mathrm{df}(w)} + 1, \qquad
# x_{d,w} = \mathrm{tf}(d,w)\,\mathrm{idf}(w), \qquad \hat x_d = x_d / \lVert x_d \rVert$$
#
# The idf has no unit; it runs from 1 (a word in every note) to $\ln\frac{41}{2}+1 = 4.02$ (a
# word in one note of forty). The two ones inside the fraction act as one more note that
# holds every word, so nothing is divided by zero. The rows have length 1, so a dot product
# of two is the cosine of their angle, and a long note has no advantage over a short one.
#
# df counts *notes*, not occurrences: a word that stands nine times in one note is still a
# rare word. And a question brings no statistics of its own: it is weighed with the idf of the
# notes, otherwise it lives in another space.
#
# ### Tokens
# Everything rests on what a word is. Ours: lower case, then maximal runs of the letters a-z
# and digits, where a hyphen *inside* a run belongs to it. So `E-4021` stays whole as
# `e-4021`. Split at the hyphen it would become `e` and `4021`; stemmed or cut into subwords
# it would look like every other code. Many search boxes that "cannot find part numbers" lose
# them here, before any ranking begins.
#
# ### By hand
# Two documents, `aa bb` and `aa cc cc`. df is 2, 1, 1, so idf is 1 for aa and
# $\ln\frac32+1 = 1.405465$ for bb and cc. Row one is (1, 1.405465, 0) before it is scaled;
# its length is 1.724913, which gives (.579739, .814802, 0). Row two is (1, 0, 2.810930),
# scaled (.335176, 0, .942156). Their cosine is .579739 · .335176 = .194.

# %%
print("idf of a word in 1, 5, 40 notes of 40:", np.log(41 / (1 + np.array([1, 5, 40]))) + 1)
print("length of row one:", np.hypot(1, np.log(3 / 2) + 1))


# %%
def tokenize(text):
    """The words of `text`, in order.

    text     str
    returns  list of str: lower case, maximal runs of the letters a-z and digits; a hyphen
             with such a run on both sides belongs to the word, any other sign separates

    >>> tokenize("E-4021: re-light it - twice.")
    ['e-4021', 're-light', 'it', 'twice']
    """
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: tokenize")


# %%
def fit_tfidf(docs):
    """The vocabulary, the idf and the unit rows of `docs`.

    docs     list of N str, at least one word in all; not changed
    returns  (vocab, idf, matrix)
             vocab   dict word -> column, 0..V-1 in any order
             idf     (V,) float64, ln((1 + N) / (1 + df)) + 1, by column
             matrix  (N, V) float64, tf * idf, each row scaled to length 1

    df counts documents, tf occurrences. A document without words is a row of zeros, and
    counts in N.
    """
    # TODO(you): stage 1, about 5 lines.
    raise NotImplementedError("stage 1: fit_tfidf")


# %%
def transform(texts, vocab, idf):
    """Rows for new texts, in the space of `vocab` and `idf`.

    texts    list of n >= 1 str; not changed
    vocab    dict word -> column, as from fit_tfidf; not changed
    idf      (V,) float64, as from fit_tfidf
    returns  (n, V) float64, tf * idf, each row scaled to length 1

    Words outside the vocabulary are left out. A text without known words is a row of zeros.
    """
    # TODO(you): stage 1, about 8 lines.
    raise NotImplementedError("stage 1: transform")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(tokenize, fit_tfidf, transform)

# %%
# Predict first: five notes a topic, so eight squares on the diagonal. Which of the five notes
# makes the brightest row in its square, and why is nothing outside the squares quite dark?
vocab, idf, matrix = fit_tfidf(DOCS)
queries = transform([text for _, text, _ in QUERIES], vocab, idf)       # (Q, V)
cosines = np.asarray(matrix) @ np.asarray(matrix).T                     # (N, N)
image = plt.imshow(cosines, vmin=0.05, vmax=0.35, cmap="viridis")
for edge in np.arange(4.5, 39, 5):
    plt.axvline(edge, color="white", lw=0.5)
    plt.axhline(edge, color="white", lw=0.5)
plt.xticks(range(2, 40, 5), TOPICS, rotation=45)
plt.yticks(range(2, 40, 5), TOPICS)
plt.xlabel("note")
plt.ylabel("note")
plt.colorbar(image, label="cosine (1 on the diagonal)")
plt.show()
print(len(vocab), "words; 'the' has idf", round(float(idf[vocab["the"]]), 2),
      "and 'derailleur'", round(float(idf[vocab["derailleur"]]), 2))

# %% [markdown]
# ## Stage 2 · How good is a ranking?
#
# "It looks better" is not a result. Two numbers per question, averaged over all of them:
#
# $$\mathrm{recall@}k = \frac{|\,\text{first } k \cap \text{key}\,|}{|\text{key}|},
# \qquad \mathrm{RR} = \frac{1}{\text{place of the first note of the key}}$$
#
# Recall@k asks whether the answer reaches the reader at all: a language model that is given
# five notes cannot use the sixth. MRR, the mean of RR, asks how high it stands. Neither has a
# unit; both lie between 0 and 1. A question whose answer is *not* found counts 0 and stays
# in the average. Leaving it out is the classic way to report a fine MRR for a retriever
# that answers three questions of a hundred.
#
# ### By hand
# Rankings `4 1 3` and `2 0`; keys {3, 9} and {7}. Recall@2 is (0/2 + 0/1)/2 = 0. Recall@3 is
# (1/2 + 0)/2 = .25. The first key note stands at place 3 and nowhere: MRR = (1/3 + 0)/2 =
# .167, not .333.
#
# ### Ties
# Two notes with the same score must come out in the same order today, tomorrow and on
# another machine, otherwise a metric moves although nothing changed. Here the lower id goes
# first. `np.argsort` does not promise that: its default algorithm is free to shuffle equal
# values, and reversing an ascending sort puts the *higher* id first.

# %%
print("mean reciprocal rank of places 3 and never:", (1 / 3 + 0) / 2)
print("a coin-toss baseline, recall@5 of 5 notes out of 40:", 5 / 40)


# %%
def rank(scores):
    """All ids, best score first; ties to the lower id.

    scores   (N,) float array
    returns  N ints, a list or an array; `scores` is not changed

    >>> list(rank(np.array([0.1, 0.7, 0.1])))
    [1, 0, 2]
    """
    # TODO(you): stage 2, about 1 line.
    raise NotImplementedError("stage 2: rank")


# %%
def recall_at_k(rankings, relevant, k):
    """The share of a key found among the first k, averaged over the queries.

    rankings  list of Q lists of ids, best first; one may be shorter than k, or empty
    relevant  list of Q sets of ids, none empty; neither is changed
    k         int >= 1
    returns   float in [0, 1]; each query divides by the size of its whole key
    """
    # TODO(you): stage 2, about 2 lines.
    raise NotImplementedError("stage 2: recall_at_k")


# %%
def mean_reciprocal_rank(rankings, relevant):
    """1 / (place of the first relevant id), averaged over all queries.

    rankings  list of Q lists of ids, best first; one may be empty
    relevant  list of Q sets of ids, none empty; neither is changed
    returns   float in [0, 1]; places count from 1, a query without a hit counts 0
    """
    # TODO(you): stage 2, about 5 lines.
    raise NotImplementedError("stage 2: mean_reciprocal_rank")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(rank, recall_at_k, mean_reciprocal_rank)

# %% [markdown]
# Two helpers for what follows. `found` turns scores into a ranking that may be shown: a note
# with a score of zero shares nothing with the question, so it was not found and is not ranked.
# (A cosine of 1e-17 is a zero that was computed in another order, hence the 1e-9.)

# %%
def found(scores, depth=DEPTH):
    """The ids of the notes that match at all, best first, no more than `depth`."""
    return [int(note) for note in rank(scores) if scores[note] > 1e-9][:depth]


def of_kind(kind, measure, rankings, *rest):
    """`measure` over the queries of one kind."""
    at = [i for i, (its_kind, _, _) in enumerate(QUERIES) if its_kind == kind]
    return measure([rankings[i] for i in at], [RELEVANT[i] for i in at], *rest)


# %%
# Predict first: one of the three lines stays on the floor at every depth. Which, and why?
by_tfidf = [found(row) for row in np.asarray(queries) @ np.asarray(matrix).T]
for kind in KINDS:
    plt.plot(range(1, DEPTH + 1),
             [of_kind(kind, recall_at_k, by_tfidf, k) for k in range(1, DEPTH + 1)],
             marker="o", label=kind)
plt.xlabel("k (notes shown)")
plt.ylabel("TF-IDF recall@k")
plt.legend()
plt.show()
print(f"TF-IDF over all queries: recall@5 {recall_at_k(by_tfidf, RELEVANT, 5):.2f}, "
      f"MRR {mean_reciprocal_rank(by_tfidf, RELEVANT):.2f}")

# %% [markdown]
# ## Stage 3 · SVD: meaning from company, and where keywords beat it
#
# The paraphrases scored zero: no word in common, no cosine. Yet the corpus knows better.
# `gears` and `derailleur` never stand in a customer's note together, but both stand in
# Ines's, and both stand beside `Sparrow`. The singular value decomposition
# $X = U \Sigma V^{\mathsf T}$ finds the few directions that explain most of the matrix. Keep
# the first $k$ rows of $V^{\mathsf T}$, and words that keep the same company fall together:
#
# $$z = \frac{V_k^{\mathsf T} x}{\lVert V_k^{\mathsf T} x \rVert}$$
#
# for notes and questions alike. This is *latent semantic analysis* (Deerwester and others,
# 1990), the grandmother of the embedding. A question is projected with $V$, whose rows are
# made of words; $U$ is made of notes, and a question is not one of them.
#
# No centring: subtracting the mean row would make this a PCA, and the zeros of the matrix
# (95 % of it) would stop meaning "absent". The price: the first direction is
# spent on `the`, `a` and `and`, whose singular value is twice the next one. So we keep nine:
# one for the function words, and eight topics.
#
# ### Signs
# If $v$ is a singular vector so is $-v$, and LAPACK may hand you either. All scores are dot
# products of two projections, where a sign appears twice and cancels. So compare scores,
# never components, in your tests as well as here.
#
# ### By hand
# Rows (2, 0, 0) and (0, 3, 0): the singular values are 3 and 2, in this order, and the
# components (0, 1, 0) and (1, 0, 0), each up to its sign. With k = 1 only the first is left:
# (3, 4, 0) projects to 4, or to the unit row (1); (2, 0, 5) projects to 0 and stays 0.

# %%
print("singular values of rows (2,0,0), (0,3,0):", np.linalg.svd([[2, 0, 0], [0, 3, 0]])[1])
print("zeros in the TF-IDF matrix:", f"{np.mean(np.asarray(matrix) == 0):.0%}")


# %%
def fit_svd(matrix, k):
    """The k directions that explain most of `matrix`, without centring it.

    matrix   (N, V) float64; not changed
    k        int >= 1, may exceed N or V
    returns  (min(k, N, V), V) float64: right singular vectors as orthonormal rows, the
             largest singular value first; the sign of a row is free
    """
    # TODO(you): stage 3, about 2 lines.
    raise NotImplementedError("stage 3: fit_svd")


# %%
def project(matrix, components):
    """Rows in the space of `components`, scaled to length 1.

    matrix      (n, V) float64; not changed
    components  (k, V) float64, orthonormal rows, as from fit_svd
    returns     (n, k) float64, unit rows; a row of zeros stays a row of zeros
    """
    # TODO(you): stage 3, about 3 lines.
    raise NotImplementedError("stage 3: project")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(fit_svd, project)

# %% [markdown]
# **The punchline: keywords beat semantics.** Ask for a code and the embedding finds the right
# *topic* and the wrong *note*. `E-4021` stands in one note out of forty, so it explains almost
# none of the matrix; nine directions have no room for it. They remember that it is a bicycle's.
# A technician who wants the Sparrow's P-1107 and is handed the Sparrow's S-220 does not call
# that semantic search; she calls it wrong. Neural embeddings have the same weakness, for the
# same reason: a rare string is noise to anything that was trained to compress.

# %%
# Predict first: recall@5 of SVD on codes is perfect. What is recall@1?
N_COMPONENTS = 9  # eight topics, and one direction for the function words
components = fit_svd(matrix, N_COMPONENTS)
svd_scores = np.asarray(project(queries, components)) @ np.asarray(project(matrix, components)).T
by_svd = [found(row) for row in svd_scores]

figure, panels = plt.subplots(1, 2, sharey=True, figsize=(8, 3.4))
for panel, k in zip(panels, (5, 1)):
    for shift, (name, rankings) in enumerate([("TF-IDF", by_tfidf), ("SVD", by_svd)]):
        panel.bar(np.arange(3) + 0.4 * shift - 0.2,
                  [of_kind(kind, recall_at_k, rankings, k) for kind in KINDS], 0.4, label=name)
    panel.set_xticks(range(3), KINDS)
    panel.set_xlabel("kind of query")
    panel.set_ylabel(f"recall@{k}")
panels[1].legend(loc="center")
plt.tight_layout()
plt.show()

asked = next(i for i, (_, text, _) in enumerate(QUERIES) if text == "Sparrow P-1107")
print("'Sparrow P-1107', key", RELEVANT[asked], "· TF-IDF", by_tfidf[asked][:3],
      "· SVD", by_svd[asked][:3])

# %%
# Predict first: with all forty directions nothing is thrown away. Which retriever is that?
sizes = [1, 2, 4, 6, 8, 9, 10, 12, 16, 20, 30, 40]
curves = {kind: [] for kind in KINDS}
for size in sizes:
    axes = fit_svd(matrix, size)
    scores = np.asarray(project(queries, axes)) @ np.asarray(project(matrix, axes)).T
    for kind in KINDS:
        curves[kind].append(of_kind(kind, recall_at_k, [found(row) for row in scores], 5))
for kind in KINDS:
    plt.plot(sizes, curves[kind], marker="o", label=kind)
plt.axvline(N_COMPONENTS, ls=":", color="grey", label="8 topics + 1")
plt.xlabel("components kept")
plt.ylabel("SVD recall@5")
plt.legend()
plt.show()

# %% [markdown]
# Two sobering remarks. A topic has five notes, so recall@5 = 1 means "found the topic", not
# "found the note": the MRR of the paraphrases is .25. And SVD has learned no English. It knows
# which words share a note, nothing else: strike the eight product names and fit without Ines's
# eight notes, and recall@5 on paraphrases falls from 1.00 to 0.00. Semantics comes from data
# that bridges.

# %% [markdown]
# ## Stage 4 · RRF: two opinions, one list
#
# TF-IDF wins on codes, SVD on paraphrases, and a search box does not know which it was given.
# Adding the scores is a trap: a cosine of .3 is a triumph for TF-IDF and a shrug for SVD, so
# the larger scale wins. *Reciprocal rank fusion* (Cormack, Clarke and Büttcher, 2009) throws the
# scores away and keeps the places:
#
# $$\mathrm{RRF}(d) = \sum_{\text{rankings that hold } d} \frac{1}{k + \mathrm{place}(d)},
# \qquad k = 60, \quad \text{places from } 1$$
#
# $k$ says how little the top matters: first and second differ by 1/61 − 1/62 = .00026, so
# what two rankings agree on beats what one is sure of. An id that a ranking does not hold
# gains nothing from it, and loses nothing.
#
# ### By hand
# Rankings `a b` and `b c`. b stands second and first: 1/62 + 1/61 = .032522. a: 1/61 =
# .016393. c: 1/62 = .016129. The order is b, a, c. With places from 0 the order would be
# the same and every score wrong: 1/61 + 1/60 = .033060. Orders do not prove a formula.
#
# ### Unmatched is not ranked
# A code matches one note; the other 39 score zero. Rank them all the same, and 39 notes get
# credit for their place in a list sorted by nothing but their id. On our questions it costs
# a quarter of the recall: fused with zeros, recall@5 falls from 1.00 to .76.

# %%
print("b:", 1 / 62 + 1 / 61, " a:", 1 / 61, " c:", 1 / 62)


# %%
def rrf(rankings, k=60):
    """Reciprocal rank fusion: the sum of 1 / (k + place) over the rankings that hold an id.

    rankings  list of lists of int ids, best first, no id twice in one; may be empty or
              hold empty lists; not changed
    k         number > 0; places count from 1
    returns   list of (id, float score) tuples, best score first, ties to the lower id; every
              id that stands in a ranking, once

    >>> [doc for doc, _ in rrf([[7, 3], [3, 5]])]
    [3, 7, 5]
    """
    # TODO(you): stage 4, about 5 lines.
    raise NotImplementedError("stage 4: rrf")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(rrf)

# %%
# Predict first: RRF gains nothing on any single kind over the better of its two parts. Why is it
# still the best of the four? And which kind pays for the fused zeros?
def fuse(*systems):
    """The fused ranking of each query, from one ranking a query of each system."""
    return [[note for note, _ in rrf(list(lists))][:DEPTH] for lists in zip(*systems)]


def everything(scores):
    """A ranking that also holds what does not match: the mistake that stage 4 warns of."""
    return [int(note) for note in rank(scores)][:DEPTH]


by_rrf = fuse(by_tfidf, by_svd)
by_zeros = fuse([everything(row) for row in np.asarray(queries) @ np.asarray(matrix).T],
                [everything(row) for row in svd_scores])
systems = {"TF-IDF": by_tfidf, "SVD": by_svd, "RRF": by_rrf, "RRF of zeros too": by_zeros}

print(f"{'':17}{'all queries':^14}" + "".join(f"{kind:^14}" for kind in KINDS))
print(f"{'':17}{'  R@5   MRR   '}" + "  R@5   R@1   " * 3)
for name, rankings in systems.items():
    cells = [recall_at_k(rankings, RELEVANT, 5), mean_reciprocal_rank(rankings, RELEVANT)]
    cells += [of_kind(kind, recall_at_k, rankings, k) for kind in KINDS for k in (5, 1)]
    print(f"{name:17}" + "".join(f"{cell:6.2f}" + "  " * (i % 2) for i, cell in enumerate(cells)))

for shift, (label, measure, rest) in enumerate([("recall@5", recall_at_k, [5]),
                                                ("MRR", mean_reciprocal_rank, [])]):
    plt.bar(np.arange(4) + 0.4 * shift - 0.2,
            [measure(rankings, RELEVANT, *rest) for rankings in systems.values()], 0.4, label=label)
plt.xticks(range(4), systems)
plt.xlabel("retriever")
plt.ylabel("mean over all queries")
plt.legend()
plt.show()

# %% [markdown]
# Two things that the table does not say. RRF pays for its balance: on codes it stands first
# in 75 % of the cases where TF-IDF alone has 100 %. And our paraphrases hold no function
# words. Put one `the` before each, and TF-IDF "finds" ten notes that say *the* often; fused,
# recall@5 on paraphrases falls from 1.00 to .12. A positive score is a weak proof of a match,
# which is why engines drop such words or ask for a minimum share of the query.

# %% [markdown]
# ## Stage 5 · Chunks
#
# A language model reads passages, not handbooks, so RAG cuts documents into chunks and scores
# each chunk. A document then scores as its *best* chunk. That changes who wins: in a chunk of
# 20 words two neighbouring words are a tenth of the text; in the whole note they drown.
#
# `chunk` walks in steps of size − overlap. It ends as soon as a chunk reaches the last token;
# one more step would only repeat the overlap.
#
# ### By hand
# `a b c d e f g h i j`, size 4, overlap 2, steps of 2: `abcd cdef efgh ghij`. The fifth chunk
# would be `ij`, which `ghij` holds already. With an eleventh letter `k` there is a fifth
# chunk, `ijk`: shorter, with something new in it, and kept as it is. An overlap as large as the
# size would never move forward, so that is a ValueError.
#
# ### The best chunk
# Chunks score .5, −.3, .2, −.1 and belong to documents 2, 0, 2, 0; there are 3 documents.
# Document 2 scores .5 and document 0 scores −.1, its best, although that is below zero (a cosine
# after SVD may be). Document 1 has no chunk and scores 0. Not the mean: a long document would be
# punished for every paragraph that is about something else.

# %%
print(["abcdefghij"[at : at + 4] for at in range(0, 10, 2)], "holds one chunk too many")


# %%
def chunk(tokens, size, overlap):
    """Windows of `size` tokens, each sharing `overlap` tokens with the one before.

    tokens   list of str; not changed
    size     int >= 1
    overlap  int >= 0; overlap >= size raises ValueError
    returns  list of lists. The last one ends at the last token and may be shorter; no
             chunk is only overlap. No tokens, no chunks.

    >>> chunk(list("abcdefg"), 4, 1)
    [['a', 'b', 'c', 'd'], ['d', 'e', 'f', 'g']]
    """
    # TODO(you): stage 5, about 4 lines.
    raise NotImplementedError("stage 5: chunk")


# %%
def best_chunk_scores(chunk_scores, parents, n_docs):
    """A document scores as its best chunk.

    chunk_scores  (C,) float array, C >= 1, any sign
    parents       (C,) int array, the document of each chunk, in any order
    n_docs        int
    returns       (n_docs,) float64; a document without chunks scores 0
    """
    # TODO(you): stage 5, about 3 lines.
    raise NotImplementedError("stage 5: best_chunk_scores")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(chunk, best_chunk_scores)

# %%
# Predict first: for each question, where does the note of the key stand (1 is best)? Once the
# chunks help, once they hurt, and once only the overlap saves them.
SIZE = 20
EXPERIMENTS = [  # (query, the note that answers it)
    ("open circuit", 33),         # side by side in one line of note 33
    ("gurgles and bangs", 14),    # the first and the last but one line of note 14
    ("underproofed batch", 32),   # "so every batch went in underproofed", across a cut
]


def chunked_scores(rows, overlap):
    """(n, N) scores of query rows, each note scored as its best chunk."""
    pieces = [(" ".join(part), note) for note, text in enumerate(DOCS)
              for part in chunk(tokenize(text), SIZE, overlap)]
    index = np.asarray(transform([part for part, _ in pieces], vocab, idf))         # (C, V)
    parents = np.array([note for _, note in pieces])                                # (C,)
    return [np.asarray(best_chunk_scores(s, parents, len(DOCS))) for s in rows @ index.T]


rows = np.asarray(transform([text for text, _ in EXPERIMENTS], vocab, idf))
ways = {
    "whole notes": rows @ np.asarray(matrix).T,
    f"chunks of {SIZE}": chunked_scores(rows, 0),
    f"chunks of {SIZE}, overlap {SIZE // 2}": chunked_scores(rows, SIZE // 2),
}
for shift, (way, scores) in enumerate(ways.items()):
    places = [list(rank(row)).index(note) + 1 for row, (_, note) in zip(scores, EXPERIMENTS)]
    print(f"{way:24}", dict(zip([text for text, _ in EXPERIMENTS], places)))
    plt.bar(np.arange(3) + 0.27 * (shift - 1), places, 0.27, label=way)
plt.xticks(range(3), [f"{text}\n(note {note})" for text, note in EXPERIMENTS])
plt.yticks(range(1, 5))
plt.xlabel("query")
plt.ylabel("place of the right note (1 is best)")
plt.legend()
plt.show()

by_chunks = [found(row) for row in chunked_scores(np.asarray(queries), SIZE // 2)]
print(f"all {len(QUERIES)} queries, MRR: whole notes "
      f"{mean_reciprocal_rank(by_tfidf, RELEVANT):.3f}, overlapping chunks "
      f"{mean_reciprocal_rank(by_chunks, RELEVANT):.3f}")

# %% [markdown]
# What happened. **Helped**: *open circuit* stands side by side in note 33, yet note 12 says
# `circuit` twice and wins as a whole; in a chunk the neighbours win. **Hurt**: only note 14 knows
# both *gurgles* and *bangs*, one at each end; cut up, no chunk knows both, and a note full of
# bangs wins. **Rescued**: "so every batch | went in underproofed" was cut at the bar; with an
# overlap of 10 one chunk holds both words. Over all questions cutting gained nothing: these
# notes have 60 words. Chunk when documents are longer than what one question needs.

# %% [markdown]
# ## Stage 6 · BM25, and error bars (stretch)
#
# TF-IDF believes repetition: a word said twenty times weighs twenty times. BM25 (Robertson and
# others, 1994) lets it saturate and corrects for length in the same fraction:
#
# $$\mathrm{score}(d, q) = \sum_{w \in q} \mathrm{idf}(w)\,
# \frac{\mathrm{tf}\,(k_1+1)}{\mathrm{tf} + k_1\,(1 - b + b\,\ell_d/\bar\ell)},
# \qquad \mathrm{idf}(w) = \ln\Bigl(1 + \frac{N - \mathrm{df} + .5}{\mathrm{df} + .5}\Bigr)$$
#
# $\ell_d$ is a document's length in tokens, $\bar\ell$ the mean length. $k_1$ sets how fast
# repetition stops paying (at $k_1 = 1.5$ a word never weighs more than 2.5 times its first
# mention at average length), $b$ how much length is held against a document.
#
# ### Which idf
# "BM25" is a family. Robertson's idf, without the 1 inside the logarithm, is negative for a
# word in more than half of the documents, so that *having* it costs points; rank-bm25's `BM25Okapi`
# patches that with a floor (a quarter of the mean idf), ATIRE takes ln(N/df). We take
# **Lucene's**, the formula above: never negative, no patch. Newer Lucene also drops the
# constant factor $k_1+1$, which changes no order; we keep it.
#
# ### By hand
# Documents `aa bb` and `aa cc cc`; query `cc`. df = 1, N = 2: idf = ln(1 + 1.5/1.5) = .693147.
# Lengths 2 and 3, mean 2.5. Document two: 2 · 2.5 / (2 + 1.5 (.25 + .75 · 3/2.5)) = 5/3.725 =
# 1.342282, times idf: .930399. Document one: 0.
#
# ### The bootstrap
# Is .75 better than .71 on 24 questions? Draw 24 of the 24 with replacement, take the mean, do
# it 2,000 times: the middle 95 % of those means is an interval for what other questions
# of the same kind could have given. Draw within the slice: a mean over codes says nothing
# about how paraphrases vary. With four questions answered of eight the interval is .12 to .88.

# %%
print("idf of cc:", np.log(2), " score:", np.log(2) * 5 / 3.725)
coins = np.random.default_rng(5).integers(0, 2, size=(2000, 8)).mean(axis=1)
print("95 % of the means of 8 coin tosses:", np.percentile(coins, [2.5, 97.5]))


# %%
def bm25(tokenized_docs, query_tokens, k1=1.5, b=0.75):
    """The BM25 score of every document, with Lucene's idf ln(1 + (N - df + .5) / (df + .5)).

    tokenized_docs  list of N >= 1 lists of str, at least one token in all; not changed
    query_tokens    list of str, not changed; a word that stands twice counts twice, an
                    unknown word 0
    k1, b           floats, k1 > 0 (saturation) and 0 <= b < 1 (length)
    returns         (N,) float64, sum over query words of
                    idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length))

    No query tokens: zeros. A document without tokens scores 0 and counts in N and the mean.
    """
    # TODO(you): stage 6, about 9 lines.
    raise NotImplementedError("stage 6: bm25")


# %%
def bootstrap_interval(values, rng, n_resamples=2000):
    """The 95 % percentile bootstrap interval of the mean.

    values       (n,) floats, n >= 1; not changed
    rng          np.random.Generator, the only source of chance
    n_resamples  int >= 1, means of n draws with replacement
    returns      (low, high) floats: the 2.5 and 97.5 percentiles of those means
    """
    # TODO(you): stage 6, about 4 lines.
    raise NotImplementedError("stage 6: bootstrap_interval")


# %%
def slice_report(values, slices, rng, n_resamples=2000):
    """Mean and bootstrap interval of each slice, resampled within the slice.

    values   (Q,) floats, one a query
    slices   list of Q str, the slice of each query
    rng      np.random.Generator, the only source of chance
    returns  dict slice -> (mean, low, high), floats
    """
    # TODO(you): stage 6, about 6 lines.
    raise NotImplementedError("stage 6: slice_report")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(bm25, bootstrap_interval, slice_report)

# %%
# Predict first: which intervals will have no width at all, and would you believe them?
notes = [tokenize(text) for text in DOCS]
by_bm25 = [found(np.asarray(bm25(notes, tokenize(text)))) for _, text, _ in QUERIES]
compared = {"TF-IDF": by_tfidf, "BM25": by_bm25, "SVD": by_svd,
            "RRF of BM25, SVD": fuse(by_bm25, by_svd)}
kinds = [kind for kind, _, _ in QUERIES]
rng = np.random.default_rng(0)
for shift, (name, rankings) in enumerate(compared.items()):
    values = [mean_reciprocal_rank([r], [key]) for r, key in zip(rankings, RELEVANT)]
    report = slice_report(values, kinds, rng)
    mean, low, high = np.array([report[kind] for kind in KINDS]).T
    plt.errorbar(np.arange(3) + 0.15 * (shift - 1.5), mean, [mean - low, high - mean],
                 fmt="o", capsize=4, label=name)
    print(f"{name:17}", "  ".join(f"{kind} {report[kind][0]:.2f} [{report[kind][1]:.2f}, "
                                  f"{report[kind][2]:.2f}]" for kind in KINDS))
plt.xticks(range(3), KINDS)
plt.xlabel("kind of query (24 each)")
plt.ylabel("MRR, mean and 95 % interval")
plt.legend()
plt.show()

# %% [markdown]
# TF-IDF on codes: 1.00, from 1.00 to 1.00. The bootstrap cannot imagine a failure that it
# has not seen. Where all of $n$ questions came out right, the *rule of three* is the honest
# bound: up to $3/n$ may still fail, here 3/24 = 12 %. BM25 and TF-IDF agree on every kind,
# since all notes have about 60 words and hardly repeat one; length and repetition are what
# BM25 is for. And the overlap of two intervals is no test: both systems answered the same
# questions, so take the difference question by question and bootstrap that.

# %% [markdown]
# # What this toy leaves out
# - **Scale.** Forty dense rows fit anywhere. Production keeps an inverted index for words and
#   an approximate index for vectors (labs 1 and 7), and adds a cross-encoder that re-ranks the
#   first fifty.
# - **Analysis of text.** Stop words, stemming, spelling, other alphabets; each helps some
#   queries and loses some codes.
# - **Generation.** The language model that reads the notes, and the question whether its answer
#   is grounded in them. A recall@5 of .7 is a ceiling on what it can get right.
# - **Real keys.** Ours were written beside the notes, in 72 questions. Real ones are labelled by
#   people who disagree, or guessed from clicks that follow the old ranking.
#
# # Interview questions that you can answer now
# - Your vector search cannot find part numbers. Why, and what do you add?
# - Why fuse ranks and not scores? What must not be in a ranking that you fuse?
# - A colleague reports an MRR of .9. Which two questions do you ask first?
# - Why does an SVD need no signs fixed, and a query no $U$?
# - When does chunking hurt, and what does overlap cost?
# - Recall@5 rose from .71 to .75 on 24 queries. Do you ship?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_tokenize(text):
    return re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())


# %%
def solution_fit_tfidf(docs):
    df = Counter(word for doc in docs for word in set(solution_tokenize(doc)))
    vocab = {word: column for column, word in enumerate(sorted(df))}
    counts = np.array([df[word] for word in vocab])                     # (V,)
    idf = np.log((1 + len(docs)) / (1 + counts)) + 1
    return vocab, idf, solution_transform(docs, vocab, idf)


# %%
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))                             # (n, V)
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            if word in vocab:
                tf[row, vocab[word]] += 1
    weights = tf * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)            # (n, 1)
    return weights / np.where(lengths > 0, lengths, 1)


# %%
def solution_rank(scores):
    return np.argsort(-scores, kind="stable")


# %%
def solution_recall_at_k(rankings, relevant, k):
    shares = [len(key & set(ranking[:k])) / len(key) for ranking, key in zip(rankings, relevant)]
    return sum(shares) / len(shares)


# %%
def solution_mean_reciprocal_rank(rankings, relevant):
    total = 0.0
    for ranking, key in zip(rankings, relevant):
        hits = (place for place, doc in enumerate(ranking, 1) if doc in key)
        total += 1 / next(hits, np.inf)
    return total / len(rankings)


# %%
def solution_fit_svd(matrix, k):
    _, _, directions = np.linalg.svd(matrix, full_matrices=False)
    return directions[:k]


# %%
def solution_project(matrix, components):
    coordinates = matrix @ components.T                                 # (n, k)
    lengths = np.linalg.norm(coordinates, axis=1, keepdims=True)        # (n, 1)
    return coordinates / np.where(lengths > 0, lengths, 1)


# %%
def solution_rrf(rankings, k=60):
    scores = Counter()
    for ranking in rankings:
        for place, doc in enumerate(ranking, 1):
            scores[doc] += 1 / (k + place)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


# %%
def solution_chunk(tokens, size, overlap):
    if overlap >= size:
        raise ValueError(f"an overlap of {overlap} never moves on in chunks of {size}")
    end = max(len(tokens) - overlap, 1)
    return [tokens[at : at + size] for at in range(0, end, size - overlap) if tokens]


# %%
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    best = np.full(n_docs, -np.inf)
    np.maximum.at(best, parents, chunk_scores)
    return np.where(np.isneginf(best), 0.0, best)


# %%
def solution_bm25(tokenized_docs, query_tokens, k1=1.5, b=0.75):
    lengths = np.array([len(doc) for doc in tokenized_docs])            # (N,)
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    scores = np.zeros(len(tokenized_docs))
    for word in query_tokens:
        tf = np.array([doc.count(word) for doc in tokenized_docs])      # (N,)
        df = np.count_nonzero(tf)
        idf = np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))
        scores += idf * tf * (k1 + 1) / (tf + norm)
    return scores


# %%
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    draws = rng.choice(values, size=(n_resamples, len(values)))         # with replacement
    low, high = np.percentile(draws.mean(axis=1), [2.5, 97.5])
    return low, high


# %%
def solution_slice_report(values, slices, rng, n_resamples=2000):
    report = {}
    for name in dict.fromkeys(slices):
        own = [value for value, its in zip(values, slices) if its == name]
        low, high = solution_bootstrap_interval(own, rng, n_resamples)
        report[name] = (np.mean(own), low, high)
    return report
