"""All commands and all events of the case, for the tables that must be complete."""

from typing import TypeAlias

from schemas.case import assigning, closing, handling, objecting, opening, supervising, timing

CaseCommand: TypeAlias = (
    opening.OpenCase
    | opening.AttachReport
    | opening.AcceptCase
    | opening.VoidCase
    | assigning.AssignCase
    | handling.SignCase
    | objecting.ObjectToCase
    | objecting.DecideObjection
    | handling.RecordProgress
    | supervising.Supervise
    | supervising.LiftSupervision
    | closing.ReportResolved
    | closing.RecordInspection
    | closing.RecordCallback
    | closing.WriteOff
    | closing.ReopenCase
    | timing.RecordBreach
)

CaseEvent: TypeAlias = (
    opening.CaseOpened
    | opening.CheckOrdered
    | opening.ReportAttached
    | opening.RepeatNoted
    | opening.ReportReturned
    | opening.CaseAccepted
    | opening.CaseVoided
    | opening.CommandRefused
    | assigning.AdmissionDecided
    | assigning.AdmissionGap
    | assigning.FundingDue
    | assigning.FundingDebt
    | assigning.Understaffed
    | assigning.CaseAssigned
    | assigning.LeadRelieved
    | assigning.RoutedToFallback
    | assigning.RoutingStopped
    | handling.CaseSigned
    | handling.SignatureDeemed
    | handling.ProgressRecorded
    | handling.ReporterContacted
    | handling.StageFinished
    | handling.SupervisionAnswered
    | objecting.DeemedSignatureTakenBack
    | objecting.ObjectionRaised
    | objecting.ObjectionReferred
    | objecting.ObjectionAccepted
    | objecting.ObjectionRefused
    | supervising.SupervisionOpened
    | supervising.SupervisionLifted
    | closing.ResolutionReported
    | closing.CheckRecorded
    | closing.InspectionPassed
    | closing.InspectionFailed
    | closing.ReworkOrdered
    | closing.CallbackRecorded
    | closing.CaseClosed
    | closing.CaseWrittenOff
    | closing.WriteOffHeld
    | closing.WriteOffTakenBack
    | closing.CaseReopened
    | timing.ClockBreached
    | timing.BreachNotConfirmed
    | timing.BreachTakenBack
)
