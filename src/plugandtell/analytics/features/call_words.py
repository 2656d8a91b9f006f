"""Words that every call is full of and none is about."""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = """
    actually afternoon agent ahead alright anybody anyone anything apologies apologize appreciate basically bye call
    called calling calls cause check checked checking come comes coming couple day days definitely dot double evening
    everything exactly fine folks forward gave get gets getting give given gives giving glad goes going gone gonna
    good goodbye got gotta great guess guy guys happen happened happening happens happy hear hello help helped helping
    here hey hi hmm hold hope hour hours kind kinda know known last later least let lets like line literally long look
    looking looks lot ma'am madam made make makes making matter maybe mean means mhm mind minute minutes miss mister
    moment moments month months morning mrs need needed needs never next nice nope number numbers oh ok okay people
    perfect person phone place please point pretty probably put question quick quite ready really regarding right said
    saw say saying says second seconds see seem seems seen several sir someone something sorry sort speak speaking
    spoke start stuff sure take taken takes taking talk talked talking tell telling thank thanks thing things think
    thought time times today told tomorrow tonight took tried try trying uh uhm um underscore wait waiting wanna want
    wanted wants way week weeks welcome went whatever wonderful wondering word worries wow yeah year years yep yes
    yesterday
"""
_FRENCH: Final = """
    absolument accord actuellement agent ah aide aider ailleurs aller allez allô alors an année ans apparemment appel
    appelais appeler appelez appelle appels appelé après-midi arobase arrive arrivé attend attendez attendre attends
    aujourd'hui aurais auriez avez avons bah ben besoin bien bon bonjour bonne bonsoir bref cas chose choses cinq
    combien comprends compris concernant confirme confirmer coup côté dame demain demande demander demandé depuis
    dernier dernière deux dirais dire dis disais disent dit dites dix donc donne donner donnez donné désolé désolée
    effectivement entendu envie espère euh exactement excuse excusez excusez-moi exemple faire fais fait faites
    faudrait faut façon fin fois franchement genre gens grave gros hein heure heures hier hum idée instant
    intermédiaire jour journée jours laisse laissez ligne lundi là madame mademoiselle mail manière marche mardi matin
    mec merci mercredi messieurs mettre minute minutes mis mois moment monsieur n'est-ce neuf niveau non normalement
    note noté numéro numéros ok okay ouais oui parce pardon parfait parfaitement parle parler part passe passer
    patience patienter patientez pense penser personne personnes petit petite petits peu peut peut-être peux plaît
    plutôt point possible pourquoi pourrais pourrait pouvez pouvoir premier première prendre prends problème puis
    puisque quatre quelqu'un quelque quelques question rappeler rappelez rappelle regarde regarder regardez rendez
    reste revoir rien sais savez savoir semaine semaines sept service simplement six soir souci souhaite souhaiterais
    souhaitez suite super sûr tard tellement temps tenez tiens tiret toujours tous tout toute toutes traiter trois
    trouve trouver trouvé truc trucs téléphone tête va vais vas vendredi venir veuillez veut veux viens vient voilà
    voir vois vont voudrais voulais vouliez vouloir vrai vraiment vu vue zéro
"""

CALL_WORDS: Final = {"en": frozenset(_ENGLISH.split()), "fr": frozenset(_FRENCH.split())}
"""By language."""
