"""Of a plan's folder, and of what is compared with it."""

SENTENCES = {
    "plan-delivered-by-tape": "{poses} poses were typed from cards: their places are known to {place:.0f} mm and their "
    "handles to half an hour (15 degrees); the coil is taken to lie flat, {gap:g} mm off the scalp.",
    "plan-no-pictures": "There are no pictures: the machine that wrote the plan found no working OpenGL library.",
    "plan-no-field": "There are no pictures and nothing to turn: the plan was written without its head and field.",
    "plan-old-version": "This plan is of version 2 of its schema: its sentences are in English as they were written, "
    "and it knows neither zone, search settings nor the head it was made for; its stability is not shown, for it was "
    "averaged over conductivities of the lesion of which none is established.",
    "plan-old-reason": "There is no plan for the {role} side; the reason stands among the sentences of version 2.",
    "plan-old-dose": "The {role} dose is the field-matched output of version 2, without a low end to begin at; how it "
    "came about stands among the sentences of version 2.",
    "plan-other-side": "{there} of {poses} recorded poses over the head lie on the patient's {recorded}, and this plan "
    "is for the {planned}: for the other side of the study give --role {role}.",
    "plan-other-side-only": "{there} of {poses} recorded poses over the head lie on the patient's {recorded}, and this "
    "plan is for the {planned}: compare them with a plan for that side.",
}
