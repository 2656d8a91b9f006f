"""Speaks the French sentences of the evaluation. Needs what assets/make_calls.py needs.

usage: python make_french.py VOICES FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import soundfile

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "assets"))
from make_calls import CALL_RATE, Speaker  # noqa: E402

VOICES = ({"ff_siwis": 1.0}, {"ff_siwis": 0.4, "im_nicola": 0.6}, {"ff_siwis": 0.5, "am_michael": 0.5})
SENTENCES = (
    "Bonjour, je voudrais savoir où en est ma commande.",
    "Je n'ai toujours pas reçu le remboursement que vous m'aviez promis.",
    "Pouvez-vous me donner votre numéro de client, s'il vous plaît ?",
    "La livraison est prévue pour mardi matin, entre neuf heures et midi.",
    "Mon abonnement a été renouvelé sans mon accord.",
    "C'est la deuxième fois que je vous appelle cette semaine.",
    "Je vous mets en relation avec un conseiller, ne quittez pas.",
    "Le montant de la facture ne correspond pas à ce que j'avais commandé.",
    "Est-ce que je peux payer en trois fois sans frais ?",
    "Votre colis se trouve actuellement dans notre entrepôt de Lyon.",
    "Je comprends votre déception, et je vais faire le nécessaire.",
    "L'application se ferme dès que j'essaie de me connecter.",
    "Il faut redémarrer le boîtier, puis attendre deux minutes.",
    "Je souhaite résilier mon contrat à la fin du mois.",
    "Vous recevrez un courrier de confirmation dans les prochains jours.",
    "Quels sont vos horaires d'ouverture le samedi ?",
    "On m'a facturé deux fois la même prestation.",
    "J'ai perdu ma carte bancaire hier soir, dans le train.",
    "Nous avons bien enregistré votre réclamation.",
    "Ma connexion est très lente depuis ce matin.",
    "Je peux vous proposer un rendez-vous jeudi prochain, à quatorze heures trente.",
    "Le technicien est passé, mais il n'a rien réparé du tout.",
    "Est-ce que la garantie couvre aussi les accidents ?",
    "Merci beaucoup pour votre aide, bonne journée.",
    "Je ne trouve pas l'adresse de votre magasin.",
    "Le produit que j'ai reçu est cassé, je veux l'échanger.",
    "Pour des raisons de sécurité, cette conversation est enregistrée.",
    "Vous devez d'abord remplir le formulaire sur notre site.",
    "Je voudrais parler à un responsable, tout de suite.",
    "Votre dossier est complet, la réponse arrivera sous une semaine.",
)


def main(voices: Path, folder: Path) -> None:
    """Write NAME.flac and NAME.txt for each sentence, the voices in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    speaker = Speaker(voices)
    for number, text in enumerate(SENTENCES):
        name = f"fr-{number:02}"
        soundfile.write(folder / f"{name}.flac", speaker.say(text, "fr-fr", VOICES[number % 3], 1.0), CALL_RATE)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
