//! Cancellation policies: the fees for cancelling, and their deadlines.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Amount, Timestamp, Violation};

/// A fee for a cancellation or a no-show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fee {
    None,
    /// A percentage of the booking's total, 0 to 100.
    Percent {
        percent: u8,
    },
    /// The price of the first n nights, all rooms.
    Nights {
        nights: u16,
    },
    /// A fixed amount in minor units.
    Fixed {
        amount_minor: Amount,
    },
}

impl Fee {
    /// The fee of a booking. `nights` are the prices of its nights for all rooms, in order; `total` is its total. The
    /// fee is never more than the total and never negative.
    pub fn of(self, nights: impl Iterator<Item = Amount>, total: Amount) -> Amount {
        let fee = match self {
            Self::None => Amount::ZERO,
            Self::Percent { percent } => total.percent(percent),
            Self::Nights { nights: n } => nights.take(usize::from(n)).sum(),
            Self::Fixed { amount_minor } => amount_minor,
        };
        fee.min(total).max(Amount::ZERO)
    }

    /// Whether the fee is zero for every booking.
    pub const fn is_free(self) -> bool {
        match self {
            Self::None | Self::Percent { percent: 0 } | Self::Nights { nights: 0 } => true,
            Self::Fixed { amount_minor } => amount_minor.minor() <= 0,
            Self::Percent { .. } | Self::Nights { .. } => false,
        }
    }

    /// Whether `later` is a lower fee, where the two can be compared without a booking: fees of one kind, and no fee with
    /// any other.
    fn falls_to(self, later: Self) -> bool {
        match (self, later) {
            (earlier, later) if later.is_free() => !earlier.is_free(),
            (Self::Percent { percent: earlier }, Self::Percent { percent: later }) => later < earlier,
            (Self::Nights { nights: earlier }, Self::Nights { nights: later }) => later < earlier,
            (Self::Fixed { amount_minor: earlier }, Self::Fixed { amount_minor: later }) => later < earlier,
            _ => false,
        }
    }

    /// Checks the limits. A violation points to the member.
    pub fn check(self) -> Result<Self, Violation> {
        match self {
            Self::Percent { percent } if percent > 100 => {
                Err(Violation::new("/percent", "percent_range", "must be from 0 to 100"))
            }
            Self::Fixed { amount_minor } if amount_minor < Amount::ZERO || amount_minor > Amount::MAX_PRICE => {
                let message = format!("must be from 0 to {}", Amount::MAX_PRICE);
                Err(Violation::new("/amount_minor", "amount_range", message))
            }
            fee => Ok(fee),
        }
    }
}

/// The full price.
const EVERYTHING: Fee = Fee::Percent { percent: 100 };

/// The fee that applies up to a deadline before check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The deadline, in hours before the check-in time of the arrival date.
    pub hours_before_check_in: u32,
    pub fee: Fee,
    /// In a booking's policy: the deadline as an instant, computed at the sale. Bookings of versions that did not store
    /// it count back from the hotel's present check-in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl Tier {
    pub const fn new(hours_before_check_in: u32, fee: Fee) -> Self {
        Self { hours_before_check_in, fee, until: None }
    }

    /// The deadline as it was sold, if it was stored.
    pub const fn sold_until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The deadline: as it was sold, otherwise for an arrival at `check_in`.
    fn deadline(&self, check_in: Timestamp) -> Timestamp {
        let notice = SignedDuration::from_hours(i64::from(self.hours_before_check_in));
        self.until.unwrap_or_else(|| check_in.saturating_sub(notice).unwrap_or(Timestamp::MIN))
    }
}

/// A cancellation policy. A plan's policy counts deadlines in hours. A booking's policy is [`stamped`] at the sale with
/// instants, and no later setting of the hotel changes it.
///
/// [`stamped`]: CancellationPolicy::stamped
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationPolicy {
    /// Ordered by deadline, earliest (most hours) first.
    tiers: Vec<Tier>,
    /// The fee after the last deadline. `None` in a plan: the no-show fee, so that a late cancellation never costs more
    /// than a no-show. `None` in a booking of a version that did not store it: the full price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Fee>,
    /// The fee of a no-show.
    pub no_show: Fee,
}

impl CancellationPolicy {
    pub const MAX_TIERS: usize = 10;
    /// The longest notice a tier may ask for: a year.
    pub const MAX_HOURS: u32 = 365 * 24;

    /// Free until check-in time, then the first night.
    pub fn flexible() -> Self {
        Self { tiers: vec![Tier::new(0, Fee::None)], late: None, no_show: Fee::Nights { nights: 1 } }
    }

    /// The full price at any time.
    pub fn non_refundable() -> Self {
        Self { tiers: Vec::new(), late: None, no_show: EVERYTHING }
    }

    /// Takes tiers in any order, without repeated deadlines. No fee may be lower than that of an earlier deadline. `late` is
    /// the fee after the last deadline; by default the no-show fee.
    pub fn new(mut tiers: Vec<Tier>, late: Option<Fee>, no_show: Fee) -> Result<Self, Violation> {
        if tiers.len() > Self::MAX_TIERS {
            let message = format!("must have at most {} tiers", Self::MAX_TIERS);
            return Err(Violation::new("/cancellation_tiers", "tier_count", message));
        }
        for (index, tier) in tiers.iter().enumerate() {
            let at = format!("/cancellation_tiers/{index}");
            if tier.hours_before_check_in > Self::MAX_HOURS {
                let message = format!("must be at most {}", Self::MAX_HOURS);
                return Err(Violation::new(format!("{at}/hours_before_check_in"), "hours_range", message));
            }
            tier.fee.check().map_err(|violation| violation.under(&format!("{at}/fee")))?;
        }
        late.map(Fee::check).transpose().map_err(|violation| violation.under("/late_cancellation_fee"))?;
        no_show.check().map_err(|violation| violation.under("/no_show_fee"))?;
        fees_rise(&tiers, late, no_show)?;
        tiers.sort_by_key(|tier| std::cmp::Reverse(tier.hours_before_check_in));
        if tiers.windows(2).any(|pair| pair[0].hours_before_check_in == pair[1].hours_before_check_in) {
            let message = "must not name the same hours_before_check_in twice";
            return Err(Violation::new("/cancellation_tiers", "tier_order", message));
        }
        Ok(Self { tiers, late, no_show })
    }

    /// This policy as the replacement of `before`. A late fee that followed the no-show fee still does if the replacement
    /// only repeats both fees.
    pub fn replacing(self, before: &Self) -> Self {
        let repeats = before.late.is_none() && self.late == Some(before.no_show) && self.no_show == before.no_show;
        Self { late: self.late.filter(|_| !repeats), ..self }
    }

    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// The plan's own fee after the last deadline. `None` if it follows the no-show fee.
    pub const fn own_late_fee(&self) -> Option<Fee> {
        self.late
    }

    /// The policy of a booking sold for an arrival at `check_in`. Its deadlines become instants.
    pub fn stamped(&self, check_in: Timestamp) -> Self {
        let late = Some(self.late.unwrap_or(self.no_show));
        Self { late, ..self.arriving(check_in) }
    }

    /// A booking's policy after its arrival has moved to `check_in`. The hours before check-in stay.
    pub fn arriving(&self, check_in: Timestamp) -> Self {
        let stamp = |tier: &Tier| {
            let tier = Tier { until: None, ..*tier };
            Tier { until: Some(tier.deadline(check_in)), ..tier }
        };
        Self { tiers: self.tiers.iter().map(stamp).collect(), ..*self }
    }

    /// The fee of a booking after the last deadline.
    pub fn late_fee(&self) -> Fee {
        self.late.unwrap_or(EVERYTHING)
    }

    /// The fee of a booking at `now`. `check_in` is used for deadlines that were not stored. A deadline includes its
    /// own instant.
    pub fn fee_at(&self, now: Timestamp, check_in: Timestamp) -> Fee {
        let in_time = |tier: &&Tier| now <= tier.deadline(check_in);
        self.tiers.iter().find(in_time).map_or(self.late_fee(), |tier| tier.fee)
    }

    /// When free cancellation ended before `now`. `None` if there was no free cancellation.
    pub fn was_free_until(&self, now: Timestamp, check_in: Timestamp) -> Option<Timestamp> {
        let free = self.tiers.iter().filter(|tier| tier.fee.is_free());
        free.map(|tier| tier.deadline(check_in)).filter(|deadline| *deadline < now).max()
    }
}

/// Leaving later never costs less, as far as fees can be compared.
fn fees_rise(tiers: &[Tier], late: Option<Fee>, no_show: Fee) -> Result<(), Violation> {
    for (index, tier) in tiers.iter().enumerate() {
        let earlier = |other: &&Tier| other.hours_before_check_in > tier.hours_before_check_in;
        if tiers.iter().filter(earlier).any(|earlier| earlier.fee.falls_to(tier.fee)) {
            let message = "must not be lower than the fee of an earlier deadline";
            return Err(Violation::new(format!("/cancellation_tiers/{index}/fee"), "fee_order", message));
        }
    }
    let message = match late {
        Some(_) => "must not be lower than the fee of a tier",
        None => "must be given: by default it is the no-show fee, which is lower than the fee of a tier",
    };
    match tiers.iter().any(|tier| tier.fee.falls_to(late.unwrap_or(no_show))) {
        true => Err(Violation::new("/late_cancellation_fee", "fee_order", message)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tiered() -> CancellationPolicy {
        let tiers = vec![Tier::new(24, Fee::Percent { percent: 50 }), Tier::new(72, Fee::None)];
        CancellationPolicy::new(tiers, None, Fee::Nights { nights: 1 }).unwrap().stamped(at("2026-05-10T15:00:00Z"))
    }

    #[rstest]
    #[case("2026-05-01T15:00:00Z", Fee::None)] // long before
    #[case("2026-05-07T15:00:00Z", Fee::None)] // exactly 72 hours: the guest's
    #[case("2026-05-07T15:00:01Z", Fee::Percent { percent: 50 })]
    #[case("2026-05-09T15:00:00Z", Fee::Percent { percent: 50 })] // exactly 24 hours
    #[case("2026-05-09T15:00:01Z", Fee::Nights { nights: 1 })] // as a no-show
    #[case("2026-05-12T00:00:00Z", Fee::Nights { nights: 1 })] // after arrival
    fn the_earliest_deadline_still_met_decides(#[case] now: &str, #[case] fee: Fee) {
        // Deadlines were sold as instants: a hotel that opens its rooms later moves none of them.
        for check_in in ["2026-05-10T15:00:00Z", "2026-05-10T23:00:00Z", "2026-05-10T01:00:00Z"] {
            assert_eq!(tiered().fee_at(at(now), at(check_in)), fee);
        }
    }

    #[test]
    fn deadlines_move_with_the_arrival_alone() {
        let later = tiered().arriving(at("2026-05-20T15:00:00Z"));
        assert_eq!(later.tiers()[0].sold_until(), Some(at("2026-05-17T15:00:00Z")));
        assert_eq!(later.late_fee(), Fee::Nights { nights: 1 });
    }

    /// As versions before stored deadlines wrote it.
    #[test]
    fn an_older_booking_keeps_its_policy() {
        let stored =
            r#"{"tiers": [{"hours_before_check_in": 24, "fee": {"type": "none"}}], "no_show": {"type": "none"}}"#;
        let policy: CancellationPolicy = serde_json::from_str(stored).unwrap();
        let check_in = at("2026-05-10T15:00:00Z");
        assert_eq!(policy.fee_at(at("2026-05-09T15:00:00Z"), check_in), Fee::None);
        assert_eq!(policy.fee_at(at("2026-05-09T15:00:01Z"), check_in), EVERYTHING);
    }

    #[rstest]
    #[case(CancellationPolicy::flexible())]
    #[case(CancellationPolicy::non_refundable())]
    #[case(tiered())]
    #[case(CancellationPolicy::new(Vec::new(), None, Fee::Nights { nights: 1 }).unwrap())]
    #[case(CancellationPolicy::new(vec![Tier::new(9, Fee::None)], None, Fee::Fixed { amount_minor: Amount(500) }).unwrap())]
    #[case(CancellationPolicy::new(vec![Tier::new(9, Fee::None)], None, Fee::Percent { percent: 30 }).unwrap())]
    #[case(CancellationPolicy::new(vec![Tier::new(9, Fee::None)], None, Fee::None).unwrap())]
    fn a_late_cancellation_costs_the_no_show_fee_by_default(#[case] policy: CancellationPolicy) {
        let check_in = at("2026-05-10T15:00:00Z");
        let sold = policy.stamped(check_in);
        assert_eq!(sold.fee_at(at("2026-05-10T15:00:01Z"), check_in), sold.no_show);
    }

    #[test]
    fn free_until_check_in_means_the_check_in_time() {
        let check_in = at("2026-05-10T15:00:00Z");
        assert_eq!(CancellationPolicy::flexible().fee_at(check_in, check_in), Fee::None);
    }

    #[test]
    fn non_refundable_is_always_the_whole_price() {
        let check_in = at("2026-05-10T15:00:00Z");
        let fee = CancellationPolicy::non_refundable().stamped(check_in).fee_at(at("2020-01-01T00:00:00Z"), check_in);
        assert_eq!(fee, Fee::Percent { percent: 100 });
    }

    #[test]
    fn the_last_free_deadline_that_has_passed_is_named() {
        let check_in = at("2026-05-10T15:00:00Z");
        let deadline = at("2026-05-07T15:00:00Z");
        let late = deadline + SignedDuration::from_secs(1);
        assert_eq!(tiered().was_free_until(late, check_in), Some(deadline));
        assert_eq!(tiered().was_free_until(deadline, check_in), None);
        assert_eq!(CancellationPolicy::non_refundable().was_free_until(late, check_in), None);
    }

    #[test]
    fn every_form_of_a_zero_fee_is_free() {
        let nothing = [Fee::None, Fee::Percent { percent: 0 }, Fee::Nights { nights: 0 }];
        assert!(nothing.into_iter().all(Fee::is_free) && Fee::Fixed { amount_minor: Amount::ZERO }.is_free());
        assert!(!Fee::Percent { percent: 1 }.is_free() && !Fee::Fixed { amount_minor: Amount(1) }.is_free());
    }

    #[test]
    fn a_fee_is_never_more_than_the_total() {
        let nights = [Amount(100), Amount(120)];
        let total = Amount(220);
        let of = |fee: Fee| fee.of(nights.into_iter(), total);
        assert_eq!(of(Fee::Fixed { amount_minor: Amount(1_000) }), total);
        assert_eq!(of(Fee::Nights { nights: 1 }), Amount(100));
        assert_eq!(of(Fee::Nights { nights: 9 }), total);
        assert_eq!(of(Fee::Percent { percent: 50 }), Amount(110));
        assert_eq!(of(Fee::None), Amount::ZERO);
    }

    #[test]
    fn a_fee_is_never_negative() {
        let refund = Amount(-500);
        assert_eq!(Fee::Percent { percent: 100 }.of(std::iter::once(refund), refund), Amount::ZERO);
    }

    const fn percent(percent: u8) -> Fee {
        Fee::Percent { percent }
    }

    #[rstest]
    #[case(&[(24, percent(30)), (72, percent(50))], None, percent(90), Some("/cancellation_tiers/0/fee"))]
    #[case(&[(72, percent(50)), (24, Fee::None)], None, percent(90), Some("/cancellation_tiers/1/fee"))]
    #[case(&[(72, percent(50)), (48, Fee::Nights { nights: 1 }), (24, percent(40))], None, percent(90), Some("/cancellation_tiers/2/fee"))]
    #[case(&[(24, percent(50))], None, percent(30), Some("/late_cancellation_fee"))]
    #[case(&[(24, percent(50))], Some(percent(49)), percent(90), Some("/late_cancellation_fee"))]
    #[case(&[(24, Fee::Nights { nights: 2 })], None, Fee::Nights { nights: 1 }, Some("/late_cancellation_fee"))]
    #[case(&[(24, Fee::Fixed { amount_minor: Amount(500) })], None, Fee::None, Some("/late_cancellation_fee"))]
    #[case(&[(24, percent(50))], Some(percent(50)), Fee::None, None)]
    #[case(&[(24, percent(50)), (72, Fee::None)], None, Fee::Nights { nights: 1 }, None)]
    #[case(&[(24, percent(0)), (72, Fee::None)], None, Fee::None, None)]
    fn leaving_later_never_costs_less(
        #[case] tiers: &[(u32, Fee)],
        #[case] late: Option<Fee>,
        #[case] no_show: Fee,
        #[case] refused: Option<&str>,
    ) {
        let tiers = tiers.iter().map(|(hours, fee)| Tier::new(*hours, *fee)).collect();
        let violation = CancellationPolicy::new(tiers, late, no_show).err();
        assert_eq!(violation.as_ref().map(|it| (it.pointer.as_str(), it.rule)), refused.map(|at| (at, "fee_order")));
    }

    #[test]
    fn bad_tiers_are_named() {
        let tier = Tier::new;
        let twice = CancellationPolicy::new(vec![tier(1, Fee::None), tier(1, Fee::None)], None, Fee::None);
        assert_eq!(twice.unwrap_err().rule, "tier_order");
        let steep = CancellationPolicy::new(vec![tier(1, Fee::Percent { percent: 101 })], None, Fee::None);
        assert_eq!(steep.unwrap_err().pointer, "/cancellation_tiers/0/fee/percent");
        let early = CancellationPolicy::new(vec![tier(10_000, Fee::None)], None, Fee::None);
        assert_eq!(early.unwrap_err().rule, "hours_range");
        let many = CancellationPolicy::new((0..11).map(|hours| tier(hours, Fee::None)).collect(), None, Fee::None);
        assert_eq!(many.unwrap_err().rule, "tier_count");
    }
}
